//! `etcd snapshot`: all data of the cluster in one file.

use std::process::ExitCode;

use crate::{Context, Error};

actions! {
    save => Save,
}

/// Keep all data of the cluster in a file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}
