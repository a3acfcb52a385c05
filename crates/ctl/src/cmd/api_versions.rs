//! `api-versions`: groups and versions that the server serves.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::api_resources::version;
use crate::{Cluster, Context, Error};

/// Print the API versions that the server supports, as group/version
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub async fn run(_: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let versions: BTreeSet<String> = cluster.mapping.all().iter().map(version).collect();
    versions.iter().for_each(|version| crate::say!("{version}"));
    Ok(ExitCode::SUCCESS)
}
