//! A Cognito user pool on this machine, for development and tests.
//!
//! ```sh
//! cargo run -p tower-cognito-local --example local_pool -- --port 9229 --config local/examples/pool.toml --data pool.redb
//! ```
//!
//! `--help` lists the options. Clients are used unmodified: give each the endpoint that is printed.

#![allow(clippy::print_stdout, reason = "it talks to a person")]

use std::{
    env,
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use tower_cognito::{ConfigError, Pool, Verifier};
use tower_cognito_local::{Config, UserPool};

const HELP: &str = "\
A Cognito user pool on this machine, for development and tests. Not for production.

usage: cargo run -p tower-cognito-local --example local_pool -- [OPTIONS]

  --port PORT       where to listen: 9229 unless set, any free port if 0
  --host ADDRESS    where to listen: 127.0.0.1 unless set
  --pool-id ID      such as us-east-1_Local0001, which it is unless set
  --client-id ID    of the first app client: localclient0000000000000000 unless set
  --config FILE     TOML in the words of Terraform's aws_cognito_user_pool and its kin
  --data FILE       keeps all data in this file; in memory unless set
  --issuer URL      what tokens name as their issuer, in place of the pool's own address
  --smtp ADDRESS    mails e-mail messages too, by a mail catcher such as 127.0.0.1:1025
  --help            this text

Data that a file holds already stands: the configuration is for a new file.
";

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Where to listen.
    pub host: IpAddr,
    /// Where to listen; any free port if 0.
    pub port: u16,
    /// Of the pool to start with.
    pub pool_id: Option<String>,
    /// Of the first app client.
    pub client_id: Option<String>,
    /// Settings, app clients, users and groups to start with.
    pub config: Option<PathBuf>,
    /// Where all data is kept; in memory if nowhere.
    pub data: Option<PathBuf>,
    /// What tokens name as their issuer.
    pub issuer: Option<String>,
    /// Of a mail catcher.
    pub smtp: Option<String>,
}

impl Options {
    /// Reads the arguments after the program's name; nothing if help is asked for.
    ///
    /// # Errors
    /// An option is unknown, there twice, or without a value that it can have.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 9229,
            pool_id: None,
            client_id: None,
            config: None,
            data: None,
            issuer: None,
            smtp: None,
        };
        let mut seen = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            if matches!(argument.as_str(), "--help" | "-h") {
                return Ok(None);
            }
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let known = [
                "--port",
                "--host",
                "--pool-id",
                "--client-id",
                "--config",
                "--data",
                "--issuer",
                "--smtp",
            ];
            if !known.contains(&name.as_str()) {
                return Err(format!("{name}: there is no such option; --help lists them"));
            }
            if seen.contains(&name) {
                return Err(format!("{name}: it is there twice"));
            }
            let value = inline.or_else(|| arguments.next()).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("{name}: its value is missing"))?;
            options.set(&name, value)?;
            seen.push(name);
        }
        Ok(Some(options))
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "--port" => {
                self.port = value
                    .parse()
                    .map_err(|_| format!("--port: {value:?} is not a number from 0 to 65535"))?;
            }
            "--host" => {
                self.host = value.parse().map_err(|_| {
                    format!("--host: {value:?} is not an address such as 127.0.0.1")
                })?;
            }
            "--pool-id" => self.pool_id = Some(value),
            "--client-id" => self.client_id = Some(value),
            "--config" => self.config = Some(value.into()),
            "--data" => self.data = Some(value.into()),
            "--smtp" => self.smtp = Some(value),
            _ => self.issuer = Some(value),
        }
        Ok(())
    }
}

/// Starts the pool that the options describe.
///
/// # Errors
/// As [`UserPoolBuilder::start`](tower_cognito_local::UserPoolBuilder::start) and [`Config::from_file`].
pub async fn start(options: Options) -> Result<UserPool, Box<dyn Error>> {
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
    if let Some(address) = options.smtp {
        builder = builder.smtp(address);
    }
    if let Some(file) = options.config {
        builder = builder.config(Config::from_file(file)?);
    }
    if let Some(file) = options.data {
        builder = builder.data(file);
    }
    Ok(builder.serve(SocketAddr::new(options.host, options.port)).await?)
}

fn main() -> ExitCode {
    let options = match Options::parse(env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("local_pool: {error}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let ended = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(run(options));
        // A client that keeps its connection does not hold the end up.
        runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local_pool: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let data = options.data.clone();
    let is_open = !options.host.is_loopback();
    let pool = start(options).await?;
    if is_open {
        eprintln!(
            "local_pool: WARNING: it listens on {}, which is not loopback. Whoever reaches this machine can \
             read all users, codes and messages and change them: there are no permissions here.",
            pool.address()
        );
    }
    let data = data.map_or("in memory".to_owned(), |file| file.display().to_string());
    print!("{}", description(&pool, &data));
    stopped().await;
    println!("ended");
    Ok(())
}

/// Where all is, and how clients get there. Secrets are not shown.
pub fn description(pool: &UserPool, data: &str) -> String {
    let (id, client) = (pool.id(), pool.client_id());
    let (issuer, keys, endpoint) = (pool.issuer(), pool.jwks_uri(), pool.endpoint());
    let secret = |id: &str| match pool.client_secret(id) {
        Some(_) => "with a secret",
        None => "without a secret",
    };
    let others: String = pool
        .client_ids()
        .iter()
        .filter(|other| *other != client)
        .map(|other| format!("              {other} ({})\n", secret(other)))
        .collect();
    let own = Pool::custom(issuer, &keys).access_tokens([client]);
    let needs_plain_http =
        matches!(Verifier::builder(own).build(), Err(ConfigError::PlainHttp { .. }));
    let plain_http = if needs_plain_http { ".dangerous().allow_plain_http()" } else { "" };
    format!(
        "A user pool for development and tests is at {endpoint}. It is not for production.

  pool id     {id}
  clients     {client} ({})
{others}  issuer      {issuer}
  keys        {keys}
  messages    {endpoint}/_local/
  data        {data}

Point clients at it:

  amazon-cognito-identity-js
      new CognitoUserPool({{ UserPoolId: '{id}', ClientId: '{client}', endpoint: '{endpoint}/' }})
  aws-amplify
      Amplify.configure({{ Auth: {{ Cognito: {{
          userPoolId: '{id}', userPoolClientId: '{client}', userPoolEndpoint: '{endpoint}/' }} }} }})
  AWS SDKs, boto3, the aws command (any credentials will do)
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER={endpoint} AWS_REGION={}
  tower-cognito
      Verifier::builder(Pool::custom(\"{issuer}\", \"{keys}\").access_tokens([\"{client}\"]){plain_http})

Ctrl-C ends it.
",
        secret(client),
        id.as_str().split('_').next().unwrap_or_default(),
    )
}

/// Resolves at Ctrl-C or SIGTERM.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
