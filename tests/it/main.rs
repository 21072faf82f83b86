//! The integration tests: real HTTP on loopback, real keys, real clients.

#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may say what it expects in the shortest way"
)]

mod attack;
mod audience;
mod cancel;
mod claims;
mod config;
mod credential;
mod examples;
mod faults;
mod fetch;
mod house;
mod keys;
mod layer;
mod local;
mod local_account;
mod local_admin;
mod local_auth;
mod local_clients;
mod local_config;
mod local_console;
mod local_custom_auth;
mod local_data;
mod local_federation;
mod local_groups;
mod local_hang_up;
mod local_hosted;
mod local_hosted_triggers;
mod local_listing;
mod local_mail;
mod local_mfa;
mod local_migration;
mod local_names;
mod local_oauth;
mod local_password;
mod local_pools;
mod local_sessions;
mod local_threads;
mod local_token_triggers;
mod local_trigger_messages;
mod local_triggers;
mod local_validation;
mod local_wire;
mod manual;
mod policy;
mod properties;
mod real_clients;
mod rejection;
mod rotation;
mod streams;
mod support;
mod token_cache;
