//! Figures of a running cluster, as a table and as JSON: writes and reads of the API, and how long pods
//! take to run. Everything happens in a namespace that is removed at the end.
//!
//! It speaks gRPC; a peer that speaks only REST cannot be measured with it yet.

mod api;
mod figures;
mod pods;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use nakhoda_api::kinds::core::Namespace;
use nakhoda_client::{Client, Config};

use figures::Figures;

/// Measure a cluster
#[derive(Debug, Parser)]
struct Options {
    /// The cluster's kubeconfig
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The image of the measured pods; it must be on the nodes
    #[arg(long, default_value = "nakhoda-test/app:1")]
    image: String,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

const NAMESPACE: &str = "bench";

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    nakhoda_daemon::install_crypto();
    let client = Client::new(&Config::from_kubeconfig(&options.kubeconfig)?);
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(NAMESPACE.into());
    client.all::<Namespace>().create(&namespace).await.context("cannot make the namespace `bench`")?;
    let measured = measure(&client, &options.image).await;
    client.all::<Namespace>().delete(NAMESPACE, &Default::default()).await?;
    let figures = measured?;
    println!("{}", if options.json { figures.json() } else { figures.table() });
    Ok(())
}

async fn measure(client: &Client, image: &str) -> Result<Figures> {
    let mut figures = Figures::default();
    api::measure(client, NAMESPACE, &mut figures).await?;
    pods::measure(client, NAMESPACE, image, &mut figures).await?;
    Ok(figures)
}
