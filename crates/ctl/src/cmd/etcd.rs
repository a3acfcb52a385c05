//! `etcd`: what keeps the objects, through the API server.

use std::process::ExitCode;

use nakhoda_client::{Client, Duplex};

use crate::stream::{self, Place};
use crate::{Context, Error};

actions! {
    snapshot => Snapshot,
}

/// Back up what keeps the objects
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}

/// Asks for something of etcd.
pub(super) async fn open(client: &Client, action: &str) -> Result<Duplex, Error> {
    let cluster = Place { resource: "namespaces", namespace: "", name: "kube-system", subresource: "etcd" };
    stream::open(client, cluster, &[("action", action.to_owned())]).await
}

/// The same with a short answer.
pub(super) async fn ask(client: &Client, action: &str) -> Result<serde_json::Value, Error> {
    let answer = stream::read(open(client, action).await?).await?;
    serde_json::from_slice(&answer).map_err(Error::Answer)
}
