use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use tower_cognito_local::Tls;

/// A local AWS Cognito user pool for development and tests. Not for production.
#[derive(Debug, Parser)]
#[command(name = "tower-cognito-local", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves a user pool until Ctrl-C or SIGTERM. This is the default command.
    Serve(Box<ServeOptions>),
    /// Checks a configuration file: lists all errors, and the settings that have no effect on a local pool.
    Check(CheckOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// IP address to listen on. Use 0.0.0.0 in a container.
    #[arg(long, value_name = "ADDRESS", env = "TOWER_COGNITO_LOCAL_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// TCP port to listen on. 0 takes any free port.
    #[arg(long, env = "TOWER_COGNITO_LOCAL_PORT", default_value_t = 9229)]
    port: u16,

    /// Id of the user pool, or of the first one in the configuration [default: its id in the configuration,
    /// us-east-1_Local0001, or the one in the data file]
    #[arg(long, value_name = "ID", env = "TOWER_COGNITO_LOCAL_POOL_ID")]
    pub(crate) pool_id: Option<String>,

    /// Id of the first app client of this pool [default: localclient0000000000000000]
    #[arg(long, value_name = "ID", env = "TOWER_COGNITO_LOCAL_CLIENT_ID")]
    pub(crate) client_id: Option<String>,

    /// TOML file with pools, app clients, users and groups, with the names of Terraform's `aws_cognito_*` resources.
    /// It has no effect on a pool that is already in the data file.
    #[arg(long, value_name = "FILE", env = "TOWER_COGNITO_LOCAL_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// File for all data [default: in memory, lost at exit]
    #[arg(long, value_name = "FILE", env = "TOWER_COGNITO_LOCAL_DATA")]
    pub(crate) data: Option<PathBuf>,

    /// Issuer URL of the tokens of this pool [default: the pool's own address]
    #[arg(long, value_name = "URL", env = "TOWER_COGNITO_LOCAL_ISSUER")]
    pub(crate) issuer: Option<String>,

    /// URL at which browsers reach the pool, for example http://localhost:9229 for a pool in a container [default: the
    /// pool's own address]
    #[arg(long, value_name = "URL", env = "TOWER_COGNITO_LOCAL_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,

    /// Host name to accept besides those of this machine, for example the name of the container. Can be repeated, or is
    /// a list separated by commas
    #[arg(
        long,
        value_name = "NAME",
        env = "TOWER_COGNITO_LOCAL_ALLOW_HOST",
        value_delimiter = ','
    )]
    pub(crate) allow_host: Vec<String>,

    #[command(flatten)]
    pub(crate) tls: TlsOptions,

    /// Mail catcher that also receives all e-mail messages, for example 127.0.0.1:1025
    #[arg(long, value_name = "ADDRESS", env = "TOWER_COGNITO_LOCAL_SMTP")]
    pub(crate) smtp: Option<String>,

    /// Format of the log on standard error
    #[arg(
        long,
        value_name = "FORMAT",
        env = "TOWER_COGNITO_LOCAL_LOG_FORMAT",
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(crate) struct TlsOptions {
    /// Serve HTTPS besides HTTP on the same port, with a certificate that is generated at the start
    #[arg(long, env = "TOWER_COGNITO_LOCAL_TLS", value_parser = FalseyValueParser::new())]
    tls: bool,

    /// File for the certificate authority that clients must trust, written at the start. Implies --tls
    #[arg(
        long = "tls-ca-file",
        value_name = "FILE",
        env = "TOWER_COGNITO_LOCAL_TLS_CA_FILE",
        conflicts_with = "certificate"
    )]
    pub(crate) ca_file: Option<PathBuf>,

    /// PEM file with your own certificate, in place of a generated one. Implies --tls
    #[arg(
        long = "tls-cert",
        value_name = "FILE",
        env = "TOWER_COGNITO_LOCAL_TLS_CERT",
        requires = "key"
    )]
    certificate: Option<PathBuf>,

    /// PEM file with the private key of --tls-cert
    #[arg(
        long = "tls-key",
        value_name = "FILE",
        env = "TOWER_COGNITO_LOCAL_TLS_KEY",
        requires = "certificate"
    )]
    key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// TOML file to check
    #[arg(long, value_name = "FILE", env = "TOWER_COGNITO_LOCAL_CONFIG")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Human-readable lines
    Text,
    /// One JSON object per line
    Json,
}

impl Cli {
    /// Returns the command to run: `serve` unless another is named.
    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or_else(|| Command::Serve(Box::new(self.serve)))
    }
}

impl ServeOptions {
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

impl TlsOptions {
    /// Returns the certificate to serve, or `None` for plain HTTP only.
    pub(crate) fn certificate(&self) -> io::Result<Option<Tls>> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Tls::from_files(certificate, key).map(Some),
            _ => Ok((self.tls || self.ca_file.is_some()).then(Tls::generated)),
        }
    }
}
