//! Served over loopback under a load generator that nobody here wrote.

use std::{error::Error, net::SocketAddr, process::Command};

use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tower_cognito::{Claims, CognitoLayer, group, permission, scope};

use super::{Section, timing::median};
use crate::{
    subject::User,
    subjects::ours,
    world::{PERMISSION, SCOPE, World},
};

const ROUNDS: usize = 9;

pub async fn section(world: &World) -> Result<Section, Box<dyn Error>> {
    let title = "Served over HTTP";
    if Command::new("wrk").arg("-v").output().is_err() {
        let text = "Not measured: the load generator `wrk` is not installed.\n".to_owned();
        return Ok(Section { title, text, charts: Vec::new() });
    }
    let policy = scope(SCOPE) & (group("admin") | permission(PERMISSION));
    let app = Router::new()
        .route("/api/protected", get(async |_: Claims<User>| "hello"))
        .layer(CognitoLayer::new(ours::warm_verifier(world).await?).require(policy))
        .route("/public", get(async || "hello"));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    // Both get the same request, so that reading its head costs both the same.
    let token = world.token("alice").sign();
    let mut runs = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for step in 0..2 {
            let which = (round + step) % 2;
            let path = ["/public", "/api/protected"][which];
            let token = token.clone();
            let run = move || run(address, path, &token).map_err(|error| error.to_string());
            runs[which].push(tokio::task::spawn_blocking(run).await??);
        }
    }
    let [public, guarded] = &runs;
    let ratio = |of: Figure| {
        median(guarded.iter().zip(public).map(|(guarded, public)| of(guarded) / of(public)))
    };
    let value = |runs: &[Run], of: Figure| median(runs.iter().map(of));
    let (rate, p99): (Figure, Figure) = (|run| run.rate, |run| run.p99);
    let text = format!(
        "`axum::serve` and `wrk` (one thread, 32 connections) share the machine's processors; {ROUNDS} runs \
         of two seconds each, in turn.\n\n| | requests a second | p99, ms |\n|---|--:|--:|\n\
         | `/public` | {:.0} | {:.2} |\n| `/api/protected`, warm | {:.0} | {:.2} |\n\
         | ratio, median of pairs | {:.3} | {:.3} |\n",
        value(public, rate),
        value(public, p99),
        value(guarded, rate),
        value(guarded, p99),
        ratio(rate),
        ratio(p99),
    );
    Ok(Section { title, text, charts: Vec::new() })
}

type Figure = fn(&Run) -> f64;

struct Run {
    rate: f64,
    p99: f64,
}

fn run(address: SocketAddr, path: &str, token: &str) -> Result<Run, Box<dyn Error>> {
    let output = Command::new("wrk")
        .args(["-t1", "-c32", "-d2s", "--latency", "-H"])
        .arg(format!("Authorization: Bearer {token}"))
        .arg(format!("http://{address}{path}"))
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") {
        return Err("a good token was refused under load".into());
    }
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(|rest| rest.trim().to_owned()).ok_or_else(|| format!("wrk printed no {name}"))
    };
    Ok(Run { rate: field("Requests/sec:")?.parse()?, p99: milliseconds(&field("99%")?)? })
}

fn milliseconds(text: &str) -> Result<f64, Box<dyn Error>> {
    let number = text.trim_end_matches(char::is_alphabetic);
    let unit = match text.trim_start_matches(number) {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        unit => return Err(format!("wrk printed a time in {unit}").into()),
    };
    Ok(number.parse::<f64>()? * unit)
}
