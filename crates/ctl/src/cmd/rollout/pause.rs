//! `rollout pause`.

use std::process::ExitCode;

use super::Workloads;
use crate::{Context, Error};

/// Stop a deployment from rolling out changes
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    workloads: Workloads,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    super::pause(&args.workloads, context, true).await
}
