//! `cluster`: the cluster as a whole.

use std::process::ExitCode;

use crate::{Context, Error};

actions! {
    status => Status,
}

/// Look at the cluster as a whole
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}
