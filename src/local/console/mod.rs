//! What the pool's user, the developer, may see: `/_local/`.

use std::sync::Arc;

use axum::Router;

use super::site::Site;

/// All paths of this room.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
}
