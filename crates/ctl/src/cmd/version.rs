//! `version`: of this program, and of the kubelets. gRPC has no call for the server's own.

use std::process::ExitCode;

use nakhoda_client::Selection;

use crate::cluster::text;
use crate::{Cluster, Context, Error};

/// Print the version of this program and of the nodes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of this program; the cluster is not asked
    #[arg(long)]
    client: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    crate::say!("Client Version: v{}", env!("CARGO_PKG_VERSION"));
    if args.client {
        return Ok(ExitCode::SUCCESS);
    }
    let cluster = Cluster::load(context).await?;
    for node in cluster.list(cluster.mapping.find("nodes")?, "", &Selection::default()).await? {
        crate::say!("Node {}: {}", text(&node, "/metadata/name"), text(&node, "/status/nodeInfo/kubeletVersion"));
    }
    Ok(ExitCode::SUCCESS)
}
