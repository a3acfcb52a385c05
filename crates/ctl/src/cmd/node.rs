//! `node`: the machines of the cluster.

use std::process::ExitCode;

use crate::{Context, Error};

actions! {
    remove => Remove,
}

/// Manage the machines of the cluster
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}
