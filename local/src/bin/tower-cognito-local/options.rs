use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    Serve(ServeOptions),
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
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

impl ServeOptions {
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}
