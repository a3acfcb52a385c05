//! `pki node`: what a node has that does not join by a token.

use std::net::IpAddr;
use std::process::ExitCode;

use super::Folder;
use crate::{Context, Error};

/// Make a node's kubeconfig and serving certificate
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node's name
    name: String,
    #[command(flatten)]
    folder: Folder,
    /// URL at which the kubelet reaches the API server
    #[arg(long)]
    server: String,
    /// The node's addresses
    #[arg(long = "address")]
    addresses: Vec<IpAddr>,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    args.folder.open().node(&args.name, &args.addresses, &args.server)?;
    Ok(ExitCode::SUCCESS)
}
