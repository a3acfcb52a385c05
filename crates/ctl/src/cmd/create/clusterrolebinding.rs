//! `create clusterrolebinding`.

use std::process::ExitCode;

use crate::rbac::{self, Subjects};
use crate::report::Writing;
use crate::{Context, Error};

/// Give a role to subjects in the whole cluster
#[derive(Debug, clap::Args)]
pub struct Args {
    name: String,
    /// The cluster role
    #[arg(long)]
    clusterrole: String,
    #[command(flatten)]
    subjects: Subjects,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let role = ("ClusterRole", args.clusterrole.as_str());
    let object = rbac::binding("ClusterRoleBinding", &args.name, role, &args.subjects.values()?);
    super::submit(context, &args.writing, object).await
}
