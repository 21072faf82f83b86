//! `GET /_local/health`: whether the server responds, for container health checks.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::pool::site::Site;

/// Responds to requests for any host name, unlike the pages under `/_local/`: other containers ask by the name of
/// this one, and nothing here is secret.
pub(crate) async fn health(State(site): State<Arc<Site>>) -> Json<Value> {
    let pools: Vec<_> = site.pools().iter().map(|pool| pool.id().to_string()).collect();
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "user_pools": pools }))
}
