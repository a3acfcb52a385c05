//! `create role`.

use std::process::ExitCode;

use crate::rbac::{self, Rules};
use crate::report::Writing;
use crate::{Cluster, Context, Error};

/// Create a role in a namespace
#[derive(Debug, clap::Args)]
pub struct Args {
    name: String,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if args.rules.is_empty() {
        return Err(Error::Usage("at least one resource must be specified".into()));
    }
    let rules = args.rules.values(&Cluster::load(context).await?)?;
    super::submit(context, &args.writing, rbac::role("Role", &args.name, &rules)).await
}
