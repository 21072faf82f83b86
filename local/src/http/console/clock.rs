//! The pools' time, which moves on when the developer says so: `/_local/clock`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    http::{api::shapes::time, console::visitor},
    pool::{Shared, site::Site},
};

/// Ten years, so that no time that is computed from a pool's is out of range.
const MOST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

/// Tells each pool's time, in seconds.
pub(crate) async fn tell(State(site): State<Arc<Site>>, request: Request) -> Response {
    match visitor::check(&site, request.uri(), request.headers()) {
        Ok(()) => times(&site.pools()),
        Err(refused) => refused.into_response(),
    }
}

/// Puts the clock of one pool or of all forward, so that codes, sessions and tokens end without waiting.
///
/// Only JSON is read, which no form of a page elsewhere can send.
pub(crate) async fn advance(State(site): State<Arc<Site>>, request: Request) -> Response {
    if let Err(refused) = visitor::check(&site, request.uri(), request.headers()) {
        return refused.into_response();
    }
    let pools = match crate::http::console::wanted_pools(&site, request.uri()) {
        Ok(pools) => pools,
        Err(refused) => return refused.into_response(),
    };
    let Advance { advance_seconds } = match Json::from_request(request, &()).await {
        Ok(Json(advance)) => advance,
        Err(refused) => return refused.into_response(),
    };
    let by = Duration::from_secs(advance_seconds);
    if pools.iter().any(|pool| pool.ahead().saturating_add(by) > MOST) {
        let message = "A clock goes forward by ten years at most, in all.\n";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    for pool in &pools {
        pool.advance(by);
    }
    times(&pools)
}

fn times(pools: &[Arc<Shared>]) -> Response {
    let times: Map<String, Value> =
        pools.iter().map(|pool| (pool.id().to_string(), time(pool.now()))).collect();
    Json(times).into_response()
}
