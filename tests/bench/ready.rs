//! `bench ready`: how long a server takes from its start until `/readyz` is ok.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nakhoda_client::Config;

use crate::figures::Figures;
use crate::rest::{Connection, JSON};

/// How often it is asked.
const STEP: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// Measure how long a server takes to become ready; it is started and ended five times
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A kubeconfig of the server
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The server with its arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Vec<Figures>> {
    let config = Config::from_kubeconfig(&options.kubeconfig)?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let mut child = Command::new(&options.command[0])
            .args(&options.command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", options.command[0]))?;
        let ready = ready(&config, begun).await;
        child.kill()?;
        child.wait()?;
        times.push(ready?);
    }
    let mut figures = Figures::default();
    figures.median("exec → ready", &mut times);
    Ok(vec![figures])
}

async fn ready(config: &Config, begun: Instant) -> Result<Duration> {
    loop {
        let asked = async { Connection::open(config).await?.get("/readyz", JSON).await };
        match asked.await {
            Ok(_) => return Ok(begun.elapsed()),
            Err(error) => ensure!(begun.elapsed() < PATIENCE, "it does not become ready: {error:#}"),
        }
        tokio::time::sleep(STEP).await;
    }
}
