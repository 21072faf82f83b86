//! `GET /_local/health`: whether the server responds, for container health checks.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::pool::site::Site;

/// Responds with the version and the IDs of the pools.
///
/// Other containers use the host name of this container, so any host name is accepted. The console, which shows codes,
/// accepts only local host names.
pub(crate) async fn health(State(site): State<Arc<Site>>) -> Json<Value> {
    let pools: Vec<_> = site.pools().iter().map(|pool| pool.id().to_string()).collect();
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "user_pools": pools }))
}
