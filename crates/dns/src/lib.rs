//! Answers names inside the cluster from an informer's cache and forwards all others
//! (the specification is `kubernetes/dns`, docs/specification.md, version 1.1.0).
//!
//! Architecture invariant: [`answer`] is a plain function of a question and of what the [`directory`]
//! holds; only [`server`] and [`forward`] know sockets.

pub mod answer;
pub mod directory;
pub mod forward;
pub mod options;
pub mod query;
pub mod records;
pub mod server;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use nakhoda_client::{Client, Informers};
use nakhoda_daemon::Tasks;

pub use options::{Command, Options};

/// Runs the server, or asks one question.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    let common = options.common.clone();
    match options.command.clone() {
        Some(Command::Query(question)) => query::run(&question),
        None => nakhoda_daemon::run(&common, |tasks| start(options, tasks)),
    }
}

async fn start(options: Options, tasks: Tasks) -> anyhow::Result<()> {
    let config = options.place.config().context("cannot tell where the cluster is")?;
    let client = Client::new(&config);
    let directory = directory::Directory::new(&Informers::new(client, tasks.clone()));
    let forwarder = forward::Forwarder::new(options.upstreams());
    let answerer = Arc::new(server::Answerer::new(options.cluster_domain.clone(), directory.clone(), forwarder));
    // Before the first sync a name that exists would be denied, and the denial cached by the client.
    directory.synced().await;
    server::listen(&options.bind, answerer, &tasks).await.context("cannot listen")?;
    tracing::info!(addresses = ?options.bind, domain = %options.cluster_domain, "answering");
    Ok(())
}
