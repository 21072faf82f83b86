//! The command `tower-cognito-local`, as a process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

/// The program, without the environment variables that configure it.
pub(crate) fn program() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_tower-cognito-local")))
}

fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TOWER_COGNITO_LOCAL_")) {
        command.env_remove(name);
    }
    command
}

/// A serving process, killed on drop.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The banner that it printed.
    pub(crate) output: String,
}

impl Served {
    /// Serves a data file under an issuer that does not change with the port.
    pub(crate) fn start(data: &Path) -> Self {
        Self::run(with_data(program(), data))
    }

    /// Like [`start`](Self::start), with the given umask.
    pub(crate) fn start_with_umask(data: &Path, umask: &str) -> Self {
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("umask {umask}; exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_tower-cognito-local"));
        Self::run(with_data(clean(shell), data))
    }

    /// Starts a command and waits for the last line of its banner.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            output.push_str(&line);
            output.push('\n');
            if line == "Press Ctrl-C to stop." {
                break;
            }
        }
        let address = output
            .lines()
            .next()
            .and_then(|line| {
                let (_, address) = line.split_once(" is at ")?.1.split_once("://")?;
                address.split_once(". ")?.0.parse().ok()
            })
            .unwrap_or_else(|| panic!("the banner does not begin with an address: {output}"));
        Self { child, address, output }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by name, for example `TERM`, and returns how the process ended.
    pub(crate) fn signal(mut self, name: &str) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_data(mut command: Command, data: &Path) -> Command {
    command.args(["--port", "0", "--issuer", "https://pool.test/a", "--data"]).arg(data);
    command
}
