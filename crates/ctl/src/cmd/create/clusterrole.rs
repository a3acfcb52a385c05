//! `create clusterrole`.

use std::process::ExitCode;

use crate::rbac::{self, Rules};
use crate::report::Writing;
use crate::{Cluster, Context, Error};

/// Create a role of the whole cluster
#[derive(Debug, clap::Args)]
pub struct Args {
    name: String,
    #[command(flatten)]
    rules: Rules,
    /// Paths that are no resources, as /healthz (repeat, or separate by commas)
    #[arg(long = "non-resource-url", value_delimiter = ',')]
    paths: Vec<String>,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if args.rules.is_empty() && args.paths.is_empty() {
        return Err(Error::Usage("one of resource or nonResourceURL must be specified".into()));
    }
    let mut rules = args.rules.values(&Cluster::load(context).await?)?;
    if !args.paths.is_empty() {
        rules.push(args.rules.of_paths(&args.paths));
    }
    super::submit(context, &args.writing, rbac::role("ClusterRole", &args.name, &rules)).await
}
