//! Figures, as a table and as JSON: of any API server over REST (`api`, `ready`), of pods on a cluster of
//! ours (`pods`), of schedulers (`scheduler`) and controllers (`controllers`), and of a control plane that loses a part (`failover`). What is made lies in a namespace that is removed at the end.

mod api;
mod controllers;
mod failover;
mod figures;
mod lines;
mod load;
mod objects;
mod pods;
mod process;
mod ready;
mod rest;
mod scheduler;
mod watch;

use anyhow::Result;
use clap::Parser;

/// Measure API servers and clusters
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Api(api::Options),
    Controllers(controllers::Options),
    Failover(failover::Options),
    Pods(pods::Options),
    Ready(ready::Options),
    Scheduler(scheduler::Options),
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    nakhoda_daemon::install_crypto();
    let servers = match &options.what {
        What::Api(options) => api::run(options).await?,
        What::Controllers(options) => controllers::run(options).await?,
        What::Failover(options) => failover::run(options).await?,
        What::Pods(options) => pods::run(options).await?,
        What::Ready(options) => ready::run(options).await?,
        What::Scheduler(options) => scheduler::run(options).await?,
    };
    println!("{}", if options.json { figures::json(&servers) } else { figures::table(&servers) });
    Ok(())
}
