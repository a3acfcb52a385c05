//! `node remove`: forgets nodes, so that their names are free for other machines. Their pods are deleted by the
//! cluster; a kubelet that still runs there makes its node anew as long as its certificate is good.

use std::process::ExitCode;

use nakhoda_api::kinds::core::Node;
use nakhoda_api::kinds::meta::DeleteOptions;

use crate::{Context, Error};

/// Forget nodes, and free their names (stop the kubelet there, and drain the node first)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of nodes
    #[arg(required = true, value_name = "NODE")]
    nodes: Vec<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let api = context.client()?.all::<Node>();
    for name in &args.nodes {
        api.delete(name, &DeleteOptions::default()).await?;
        crate::say!("node \"{name}\" removed");
    }
    Ok(ExitCode::SUCCESS)
}
