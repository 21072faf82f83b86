//! The integration tests: real HTTP on loopback, real clients.

#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests may unwrap, index and panic"
)]

mod account;
mod admin;
mod auth;
mod clients;
mod command;
mod config;
mod console;
mod custom_auth;
mod data;
mod existence;
mod federation;
mod groups;
mod hang_up;
mod hosted;
mod hosted_triggers;
mod issuable;
mod levels;
mod links;
mod listing;
mod mail;
mod mfa;
mod migration;
mod minted;
mod names;
mod oauth;
mod password;
mod pools;
mod real_clients;
mod secrets;
mod sessions;
mod spelling;
mod support;
mod threads;
mod tls;
mod token_triggers;
mod trigger_events;
mod trigger_messages;
mod triggers;
mod validation;
mod wire;
