//! Shared test support: raw requests, API clients, a browser, Lambda functions and captured logs.

#[path = "../../../../tests/it/support/accepting.rs"]
mod accepting;
pub(crate) mod admin;
pub(crate) mod browser;
pub(crate) mod cognito;
pub(crate) mod command;
mod data_file;
pub(crate) mod function;
#[path = "../../../../tests/it/support/http.rs"]
mod http;
#[path = "../../../../tests/it/support/imports.rs"]
pub(crate) mod imports;
#[path = "../../../../tests/it/support/logs.rs"]
mod logs;
pub(crate) mod operations;
#[path = "../../../../tests/it/support/serve.rs"]
mod serve;
pub(crate) mod srp;
#[path = "../../../../tests/it/support/time.rs"]
mod time;
pub(crate) mod totp;

#[allow(unused_imports)]
pub(crate) use self::{
    accepting::{both_uses, full_verifier},
    data_file::DataFile,
    http::{HttpResponse, bearer, get, send},
    logs::{ThreadLogs, captured_logs},
    serve::{header, serve},
    time::{ManualClock, eventually, tokio_clock, wall_time},
};
