//! `annotate`.

use std::process::ExitCode;

use crate::marks::{self, Kind, Marking};
use crate::{Context, Error};

/// Update the annotations of a resource
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    marking: Marking,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    marks::run(args.marking, Kind::Annotations, context).await
}
