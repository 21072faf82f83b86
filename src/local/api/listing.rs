use std::sync::Arc;

use serde_json::Value;

use super::{super::site::Site, Answer};

/// The operations of this group; nothing for others.
pub(super) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    let _ = (site, operation, input);
    None
}
