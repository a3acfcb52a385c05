//! `auth`: what one may do, and who one is.

use std::process::ExitCode;

use crate::{Context, Error};

actions! {
    can_i => CanI,
    whoami => Whoami,
}

/// Inspect authorization
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}
