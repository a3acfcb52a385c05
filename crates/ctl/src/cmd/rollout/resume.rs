//! `rollout resume`.

use std::process::ExitCode;

use super::Workloads;
use crate::{Context, Error};

/// Let a paused deployment roll out changes again
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    workloads: Workloads,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    super::pause(&args.workloads, context, false).await
}
