//! The command `tower-cognito-local`: serves a local Cognito user pool, or checks a configuration file.

#![allow(clippy::print_stderr, reason = "a command prints errors to standard error")]

mod banner;
mod options;

use std::{
    error::Error,
    fmt, fs,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use tokio::runtime::Runtime;
use tower_cognito_local::{Config, UserPool};

use crate::{
    banner::Banner,
    options::{CheckOptions, Cli, Command, LogFormat, ServeOptions},
};

fn main() -> ExitCode {
    let result = match Cli::parse().command() {
        Command::Serve(options) => serve(*options),
        Command::Check(options) => check(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A configuration can have several errors, one per line.
            for line in error.to_string().lines() {
                eprintln!("error: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn check(options: &CheckOptions) -> Result<(), Box<dyn Error>> {
    let config = Config::from_file(&options.config).inspect_err(|error| {
        for ignored in error.ignored() {
            eprintln!("warning: {ignored} has no effect on a local pool");
        }
    })?;
    let file = options.config.display();
    let pools = match &config.pool_names()[..] {
        [_] => String::new(),
        names => format!("\nIt has {} user pools: {}.", names.len(), names.join(", ")),
    };
    match config.ignored() {
        [] => print(&format_args!("{file} is valid. All of its settings have an effect.{pools}")),
        ignored => {
            let ignored = ignored.join("\n  ");
            print(&format_args!(
                "{file} is valid. These settings have no effect on a local pool:\n  {ignored}{pools}"
            ));
        }
    }
    Ok(())
}

fn serve(options: ServeOptions) -> Result<(), Box<dyn Error>> {
    start_log(options.log_format);
    let runtime = Runtime::new()?;
    let result = runtime.block_on(serve_until_signal(options));
    // Work that is still running delays the exit by at most this time.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve_until_signal(options: ServeOptions) -> Result<(), Box<dyn Error>> {
    // Registered before the start, so that a signal during the start is not lost.
    let stop = stop_signal()?;
    let (address, log_format) = (options.address(), options.log_format);
    let data = match &options.data {
        Some(file) => file.display().to_string(),
        None => "in memory, lost at exit".to_owned(),
    };
    let pool = start(options).await?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "the pool accepts connections from other machines; it has no access control, so anyone who can connect can \
             read and change all users, codes and messages"
        );
    }
    match log_format {
        LogFormat::Text => print(&Banner { pool: &pool, data: &data }),
        LogFormat::Json => {
            for pool in pool.pools() {
                tracing::info!(
                    endpoint = pool.endpoint(),
                    user_pool_id = %pool.id(),
                    user_pool_name = pool.name(),
                    app_client_ids = pool.client_ids().join(","),
                    issuer = pool.issuer(),
                    jwks_uri = pool.jwks_uri(),
                    data,
                    "the user pool is ready"
                );
            }
        }
    }
    stop.await;
    tracing::info!("stopped by a signal");
    Ok(())
}

async fn start(options: ServeOptions) -> Result<UserPool, Box<dyn Error>> {
    let address = options.address();
    let mut builder = UserPool::builder();
    if let Some(id) = options.pool_id {
        builder = builder.pool_id(id);
    }
    if let Some(id) = options.client_id {
        builder = builder.client_id(id);
    }
    if let Some(issuer) = options.issuer {
        builder = builder.issuer(issuer);
    }
    if let Some(url) = options.public_url {
        builder = builder.public_url(url);
    }
    for host in options.allow_host {
        builder = builder.allow_host(host);
    }
    if let Some(tls) = options.tls.certificate()? {
        // Clients that wait for the port must find the file.
        if let (Some(file), Some(certificate)) = (options.tls.ca_file, tls.ca_certificate()?) {
            fs::write(&file, certificate)
                .map_err(|error| format!("{}: {error}", file.display()))?;
        }
        builder = builder.tls(tls);
    }
    if let Some(address) = options.smtp {
        builder = builder.smtp(address);
    }
    if let Some(file) = options.config {
        builder = builder.config(Config::from_file(file)?);
    }
    if let Some(file) = options.data {
        builder = builder.data(file);
    }
    Ok(builder.serve(address).await?)
}

/// Prints to standard output. A closed standard output does not stop the pool.
fn print(text: &dyn fmt::Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn start_log(format: LogFormat) {
    let log =
        tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

/// Returns a future that completes at Ctrl-C or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that completes at Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
