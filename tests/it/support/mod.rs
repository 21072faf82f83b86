//! Shared test support: a served app, raw requests, a faulty key server, and captured logs.

mod accepting;
mod api;
pub(crate) mod example;
mod http;
pub(crate) mod imports;
mod key_server;
mod logs;
mod serve;
mod source;
mod threads;
mod time;

pub(crate) use self::{
    accepting::{both_uses, full_verifier},
    api::sign_in_through_api,
    http::{HttpResponse, bearer, get, send},
    key_server::{KeyServer, Reply, response},
    logs::{ThreadLogs, captured_logs},
    serve::{header, serve},
    source::{Source, builder},
    threads::on_threads,
    time::{ManualClock, eventually, tokio_clock, wall_time},
};
