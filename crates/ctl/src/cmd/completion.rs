//! `completion`: what a shell needs to complete command lines, made from the command tree.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::output::out;
use crate::{Context, Error};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  source <(ctl completion bash)")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "ctl", &mut script);
    out::bytes(&script);
    Ok(ExitCode::SUCCESS)
}
