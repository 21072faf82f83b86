//! Requests over loopback, served by a separate process under an external load generator.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use axum::{
    Router, ServiceExt, body::Body, extract::Request, http::header::AUTHORIZATION,
    response::Response, routing::get,
};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, util::MapRequestLayer};
use tower_cognito::{Claims, CognitoLayer, group, permission, scope};

use super::{Section, timing::median};
use crate::{
    subject::User,
    subjects::ours,
    world::{PERMISSION, SCOPE, World},
};

/// The number of one-second runs per path.
const ROUNDS: usize = 25;

/// The compared paths, with the open path first. One process serves all of them. The last path has a separate router,
/// because the layer wraps that router.
const PATHS: [(Listener, &str); 4] = [
    (Listener::Router, "/public"),
    (Listener::Router, "/api/minimal"),
    (Listener::Router, "/api/protected"),
    (Listener::Wrapped, "/api/protected"),
];

/// The argument that makes this program only serve the paths.
pub const SERVE: &str = "--serve-alone";

pub fn section() -> Result<Section, Box<dyn Error>> {
    let title = "Served over HTTP";
    if Command::new("wrk").arg("-v").output().is_err() {
        let text = "Not measured: the load generator `wrk` is not installed.\n".to_owned();
        return Ok(Section { title, text, charts: Vec::new() });
    }
    let mut text = format!(
        "`axum::serve` under the load generator `wrk` with one thread and 32 connections. Each path has {ROUNDS} runs \
         of one second, and the paths take turns. The table has the medians of the runs, and in parentheses the \
         medians of the ratios to `/public` in the same round.\n\n\
         - \"Separate processors\": the server and `wrk` have one processor each, and the server is the bottleneck. \
         \"Shared\": both programs share both processors, so the scheduler affects the result.\n\
         - \"Minimal layer\": a layer that knows one token in advance. It compares the header with that token, and \
         passes the same claims to the handler. It checks nothing, so each layer that passes these claims costs at \
         least as much.\n\
         - \"Around\": a separate router in the same process, wrapped in the layer. The other columns are routes of one \
         router, with layers inside.\n\n\
         | | `/public` | minimal layer | `/api/protected`, warm | `/api/protected`, warm, around |\n\
         |---|--:|--:|--:|--:|\n"
    );
    for (places, name) in [(Places::Own, "separate processors"), (Places::Shared, "shared")] {
        if !places.is_available() {
            continue;
        }
        let server = Server::start(places)?;
        let mut runs = PATHS.map(|_| Vec::new());
        for round in 0..ROUNDS {
            for step in 0..PATHS.len() {
                let which = (round + step) % PATHS.len();
                runs[which].push(server.run(places, PATHS[which])?);
            }
        }
        text += &row(&format!("requests a second, {name}"), &runs, |run| run.rate, 0);
        text += &row(&format!("p99 in ms, {name}"), &runs, |run| run.p99, 2);
    }
    Ok(Section { title, text, charts: Vec::new() })
}

/// Serves all paths, and prints both addresses and a valid token.
///
/// # Errors
/// No port is available, or printing fails.
pub async fn serve(world: &World) -> Result<(), Box<dyn Error>> {
    let policy = scope(SCOPE) & (group("admin") | permission(PERMISSION));
    let verifier = ours::warm_verifier(world).await?;
    let token = world.token("alice").sign();
    let (known, claims) = (format!("Bearer {token}"), verifier.verify(&token).await?);
    let minimal = MapRequestLayer::new(move |mut request: Request| {
        if request.headers().get(AUTHORIZATION).is_some_and(|value| value == known.as_str()) {
            request.extensions_mut().insert(claims.clone());
        }
        request
    });
    let guarded = || get(async |_: Claims<User>| "hello");
    let cognito = CognitoLayer::new(verifier).require(policy);
    let wrapped = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::from))
        .layer(cognito.clone())
        .service(Router::new().route("/api/protected", guarded()).with_state(()));
    let router = Router::new()
        .route("/api/protected", guarded())
        .layer(cognito)
        .merge(Router::new().route("/api/minimal", guarded()).layer(minimal))
        .route("/public", get(async || "hello"));
    let listen = async || TcpListener::bind("127.0.0.1:0").await;
    let listeners = (listen().await?, listen().await?);
    println!("{} {} {token}", listeners.0.local_addr()?, listeners.1.local_addr()?);
    // Standard input is closed when the parent process exits for any reason.
    let parent =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    tokio::select! {
        served = axum::serve(listeners.0, router) => served?,
        served = axum::serve(listeners.1, ServiceExt::<Request>::into_make_service(wrapped)) => served?,
        _ = parent => {}
    }
    Ok(())
}

/// The router that responds.
#[derive(Clone, Copy)]
enum Listener {
    Router,
    Wrapped,
}

/// The processors of the server and the load generator.
#[derive(Clone, Copy)]
enum Places {
    Own,
    Shared,
}

impl Places {
    /// Returns whether there are two processors and a program that assigns them, if needed.
    fn is_available(self) -> bool {
        let both = || Command::new("taskset").args(["-c", "0,1", "true"]).status();
        matches!(self, Self::Shared) || both().is_ok_and(|status| status.success())
    }

    /// Returns a command that runs a program on its processor.
    fn command(self, processor: &str, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Own => {
                let mut command = Command::new("taskset");
                command.args(["-c", processor]).arg(program);
                command
            }
            Self::Shared => Command::new(program),
        }
    }
}

struct Server {
    /// Kept so that the process is killed on drop.
    _process: Process,
    router: String,
    wrapped: String,
    token: String,
}

/// A process that is killed on drop.
struct Process(Child);

impl Server {
    fn start(places: Places) -> Result<Self, Box<dyn Error>> {
        let mut command = places.command("0", env::current_exe()?);
        command.arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process(command.spawn()?);
        let mut line = String::new();
        let output = process.0.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().ok_or("the server did not start");
        Ok(Self { router: word()?, wrapped: word()?, token: word()?, _process: process })
    }

    /// All paths receive the same request, so that parsing its head costs the same.
    fn run(&self, places: Places, to: (Listener, &str)) -> Result<Run, Box<dyn Error>> {
        let address = match to.0 {
            Listener::Router => &self.router,
            Listener::Wrapped => &self.wrapped,
        };
        let output = places
            .command("1", "wrk")
            .args(["-t1", "-c32", "-d1s", "--latency", "-H"])
            .arg(format!("Authorization: Bearer {}", self.token))
            .arg(format!("http://{address}{}", to.1))
            .output()?;
        if !output.status.success() {
            return Err(format!("wrk failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let text = String::from_utf8(output.stdout)?;
        if text.contains("Non-2xx") {
            return Err("a valid token was rejected under load".into());
        }
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
            line.map(|rest| rest.trim().to_owned()).ok_or_else(|| format!("wrk printed no {name}"))
        };
        Ok(Run { rate: field("Requests/sec:")?.parse()?, p99: milliseconds(&field("99%")?)? })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // If the process has exited by itself, the runs have reported it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Run {
    rate: f64,
    p99: f64,
}

fn row(name: &str, runs: &[Vec<Run>; PATHS.len()], of: fn(&Run) -> f64, digits: usize) -> String {
    let [public, ..] = runs;
    let cells = runs.iter().map(|runs| {
        let value = median(runs.iter().map(of));
        let ratio = median(runs.iter().zip(public).map(|(run, public)| of(run) / of(public)));
        format!("{value:.digits$} ({ratio:.3}) |")
    });
    format!("| {name} | {}\n", cells.collect::<Vec<_>>().join(" "))
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
