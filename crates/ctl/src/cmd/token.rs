//! `token`: bootstrap tokens, by which machines join the cluster.

use std::process::ExitCode;

use crate::{Context, Error};

actions! {
    create => Create,
    delete => Delete,
    list => List,
}

/// Where tokens lie.
const NAMESPACE: &str = "kube-system";
const PREFIX: &str = "bootstrap-token-";
const TYPE: &str = "bootstrap.kubernetes.io/token";

/// Manage the tokens by which machines join
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}
