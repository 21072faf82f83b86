//! `/_local/clock`: the clocks of the pools, which can be advanced.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    http::{api::shapes::time, console::requested_pools},
    pool::{Pool, site::Site},
};

/// The maximum total advance of a clock: ten years. The limit keeps times that are computed from the clock in range.
const MAX_ADVANCE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The body of a request that advances a clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    advance_seconds: u64,
}

/// `GET /_local/clock`: returns the time of each pool, in seconds.
pub(crate) async fn show(State(site): State<Arc<Site>>) -> Response {
    times(&site.pools())
}

/// `POST /_local/clock`: advances the clock of one pool or of all pools. Tests can let codes, sessions and tokens
/// expire without waiting.
///
/// It accepts only JSON, which a form on a page of another site cannot send.
pub(crate) async fn advance(
    State(site): State<Arc<Site>>,
    uri: Uri,
    advance: Result<Json<Advance>, JsonRejection>,
) -> Response {
    let pools = match requested_pools(&site, &uri) {
        Ok(pools) => pools,
        Err(rejection) => return rejection.into_response(),
    };
    let advance = match advance {
        Ok(Json(Advance { advance_seconds })) => Duration::from_secs(advance_seconds),
        Err(rejection) => return rejection.into_response(),
    };
    if let Err(message) = pools.iter().try_for_each(|pool| check_advance(pool, advance)) {
        return (StatusCode::BAD_REQUEST, format!("{message}\n")).into_response();
    }
    for pool in &pools {
        pool.advance(advance);
    }
    times(&pools)
}

/// Checks that the clock of a pool can be advanced.
///
/// # Errors
/// Returns a message for the client if the clock would be too far ahead.
pub(crate) fn check_advance(pool: &Pool, advance: Duration) -> Result<(), &'static str> {
    if pool.ahead().saturating_add(advance) > MAX_ADVANCE {
        return Err("A clock can be advanced by at most ten years in total.");
    }
    Ok(())
}

fn times(pools: &[Arc<Pool>]) -> Response {
    let times: Map<String, Value> =
        pools.iter().map(|pool| (pool.id().to_string(), time(pool.now()))).collect();
    Json(times).into_response()
}
