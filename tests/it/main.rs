//! The integration tests: real HTTP on loopback, real keys, real clients.

#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests may unwrap, index and panic"
)]

mod attack;
mod audience;
mod audit;
mod cancel;
mod claims;
mod config;
mod cookie;
mod credential;
mod environment;
mod examples;
mod explain;
mod extractors;
mod faults;
mod fetch;
mod first_example;
mod frameworks;
mod grpc;
mod keys;
mod layer;
mod levels;
mod manual;
mod policy;
mod properties;
mod rejection;
mod request_rules;
mod rotation;
mod routing;
mod rules;
mod streams;
mod support;
mod tenants;
mod token_cache;
