//! `create rolebinding`.

use std::process::ExitCode;

use crate::rbac::{self, Subjects};
use crate::report::Writing;
use crate::{Context, Error};

/// Give a role to subjects in a namespace
#[derive(Debug, clap::Args)]
pub struct Args {
    name: String,
    /// A role of the whole cluster
    #[arg(long, required_unless_present = "role", conflicts_with = "role")]
    clusterrole: Option<String>,
    /// A role of the namespace
    #[arg(long)]
    role: Option<String>,
    #[command(flatten)]
    subjects: Subjects,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let role = match (&args.clusterrole, &args.role) {
        (Some(name), _) => ("ClusterRole", name.as_str()),
        (None, name) => ("Role", name.as_deref().unwrap_or_default()),
    };
    let object = rbac::binding("RoleBinding", &args.name, role, &args.subjects.values()?);
    super::submit(context, &args.writing, object).await
}
