//! `pki init`: what a control plane needs and what is missing of it. What is there is left alone.

use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use nakhoda_daemon::pki::layout::Cluster;

use super::Folder;
use crate::{Context, Error, wait};

/// Make what a control plane needs
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// URL at which clients reach the API server
    #[arg(long)]
    server: String,
    /// More DNS names of the API server
    #[arg(long = "name")]
    names: Vec<String>,
    /// More addresses of the API server: the advertised one, the first service address
    #[arg(long = "address")]
    addresses: Vec<IpAddr>,
    /// How long certificates live (authorities live ten years)
    #[arg(long, value_parser = wait::duration, default_value = "8760h")]
    life: Duration,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let Args { folder, server, names, addresses, life } = args;
    folder.open().control_plane(&Cluster { server, names, addresses, life })?;
    Ok(ExitCode::SUCCESS)
}
