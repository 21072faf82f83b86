//! The examples, compiled into the tests so that their `app` functions can be run.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "the tests use only the `app` functions"
)]

#[path = "../../../examples/custom_claims.rs"]
pub(crate) mod custom_claims;
#[path = "../../../examples/custom_rejection.rs"]
pub(crate) mod custom_rejection;
#[path = "../../../examples/guests.rs"]
pub(crate) mod guests;
#[path = "../../../examples/plain_hyper.rs"]
pub(crate) mod plain_hyper;
#[path = "../../../examples/quickstart.rs"]
pub(crate) mod quickstart;
#[path = "../../../examples/request_rules.rs"]
pub(crate) mod request_rules;
#[path = "../../../examples/streams.rs"]
pub(crate) mod streams;
#[path = "../../../examples/tenants.rs"]
pub(crate) mod tenants;
#[path = "../../../examples/tonic.rs"]
pub(crate) mod tonic;
#[path = "../../../examples/two_pools.rs"]
pub(crate) mod two_pools;
#[path = "../../../examples/web.rs"]
pub(crate) mod web;
