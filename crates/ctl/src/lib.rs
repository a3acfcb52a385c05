//! The command line of a cluster: kubectl's verbs over gRPC, and a few of its own.
//!
//! Architecture invariant: a command is one file in [`cmd`] and one line in its registry; kinds, short
//! names and columns come from the server.

pub mod archive;
pub mod cluster;
pub mod cmd;
pub mod context;
pub mod cordoning;
pub mod describe;
pub mod error;
pub mod literals;
pub mod manifest;
pub mod mapping;
pub mod marks;
pub mod merge;
pub mod output;
pub mod pods;
pub mod rbac;
pub mod report;
pub mod revisions;
pub mod session;
pub mod stream;
pub mod targets;
pub mod wait;

use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser};

pub use cluster::Cluster;
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

/// Parses the command line and runs it. Exit code 0 for success, 1 for failure, as kubectl has it.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_failure = error.use_stderr();
            // a closed terminal cannot be told anything
            drop(error.print());
            return if is_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    nakhoda_daemon::install_crypto();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Error::Runtime(error)),
    };
    let context = Context::new(cli.global);
    let code = runtime.block_on(Box::pin(cli.command.run(&context))).unwrap_or_else(|error| failed(&error));
    // a thread that waits for standard input would hold up the end
    runtime.shutdown_background();
    code
}

fn parse() -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command().try_get_matches()?)
}

/// The whole command tree.
#[must_use]
pub fn command() -> clap::Command {
    with_values(Cli::command())
}

/// Flags may be given a value, as `--watch=true`.
fn with_values(command: clap::Command) -> clap::Command {
    let flag = |arg: clap::Arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(clap::value_parser!(bool))
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .hide_possible_values(true)
            .value_name("BOOL"),
        _ => arg,
    };
    command.mut_args(flag).mut_subcommands(with_values)
}

fn failed(error: &Error) -> ExitCode {
    eprintln!("{}", output::harmless::harmless(&error::sentence(error)));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn flags_take_values_and_stand_together() {
        let parsed = |line: &str| command().try_get_matches_from(line.split(' ')).is_ok();
        assert!(parsed("ctl get pods --watch=false -A"));
        assert!(parsed("ctl exec -it web -- sh -c id"));
        assert!(!parsed("ctl get pods --watch=maybe"));
        assert!(!parsed("ctl get pods --nonsense"));
    }
}
