//! The command line of a cluster: kubectl's verbs over gRPC, and a few of its own.
//!
//! Architecture invariant: a command is one file in [`cmd`] and one line in its registry; kinds, short
//! names and columns come from the server.

pub mod archive;
pub mod cmd;
pub mod context;
pub mod error;
pub mod mapping;
pub mod output;
pub mod stream;

use std::process::ExitCode;

use clap::Parser;

pub use context::{Context, Global};
pub use error::Error;

/// Drives a Nakhoda cluster, or any cluster that speaks its gRPC API.
#[derive(Debug, Parser)]
#[command(name = "ctl", version, arg_required_else_help = true)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: cmd::Command,
}

/// Parses the command line and runs it. Exit code 0 for success, 1 for failure, 2 for wrong usage.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    nakhoda_daemon::install_crypto();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Error::Runtime(error)),
    };
    match runtime.block_on(cli.command.run(&Context::new(cli.global))) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("{}", error::sentence(error));
    ExitCode::FAILURE
}
