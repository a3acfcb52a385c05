//! `cordon`.

use std::process::ExitCode;

use crate::cordoning::{self, Nodes};
use crate::{Context, Error};

/// Mark nodes as unschedulable
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    nodes: Nodes,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    cordoning::run(&args.nodes, context, true).await
}
