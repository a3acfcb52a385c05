//! `create serviceaccount`.

use std::process::ExitCode;

use serde_json::json;

use crate::report::Writing;
use crate::{Context, Error};

/// Create a service account
#[derive(Debug, clap::Args)]
#[command(visible_alias = "sa")]
pub struct Args {
    name: String,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": args.name}});
    super::submit(context, &args.writing, object).await
}
