//! `pki`: certificates, keys and kubeconfigs of a cluster. What is there is left alone.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use nakhoda_daemon::pki::layout::{Cluster, Folder};

use crate::{Context, Error};

/// Make the certificates, keys and kubeconfigs of a cluster
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make what a control plane needs
    Init(Init),
    /// Make a node's kubeconfig and serving certificate
    Node(Node),
}

#[derive(Debug, clap::Args)]
struct Init {
    /// Folder of the certificates
    #[arg(long)]
    dir: PathBuf,
    /// URL at which clients reach the API server
    #[arg(long)]
    server: String,
    /// More DNS names of the API server
    #[arg(long = "name")]
    names: Vec<String>,
    /// More addresses of the API server: the advertised one, the first service address
    #[arg(long = "address")]
    addresses: Vec<IpAddr>,
}

#[derive(Debug, clap::Args)]
struct Node {
    /// The node's name
    name: String,
    /// Folder of the certificates
    #[arg(long)]
    dir: PathBuf,
    /// URL at which the kubelet reaches the API server
    #[arg(long)]
    server: String,
    /// The node's addresses
    #[arg(long = "address")]
    addresses: Vec<IpAddr>,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    match args.what {
        What::Init(Init { dir, server, names, addresses }) => {
            Folder::new(dir).control_plane(&Cluster { server, names, addresses })?;
        }
        What::Node(Node { name, dir, server, addresses }) => Folder::new(dir).node(&name, &addresses, &server)?,
    }
    Ok(ExitCode::SUCCESS)
}
