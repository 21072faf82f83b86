//! The OAuth 2.0 endpoints and the hosted pages.

use std::sync::Arc;

use axum::Router;

use super::site::Site;

/// All paths of this room.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
}
