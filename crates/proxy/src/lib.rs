//! Makes Services answer on a node: cluster IPs, node ports, load-balancer addresses and host ports, by
//! nftables.
//!
//! Architecture invariants: data flows one way, from the caches through [`render`] (plain functions) to
//! a [`table::Table`] of elements whose difference [`nft`] applies in one transaction; [`nft`] alone
//! knows nftables. The number of chains is constant: everything that grows with the cluster is an
//! element of a map, because chain count is what makes loading slow.
//!
//! Absent: IPv6, NetworkPolicy; traffic from pods to the
//! external address of a Service with `externalTrafficPolicy: Local` is balanced over local endpoints
//! only; a change of a Service's endpoints may move its clients with session affinity.

pub mod conntrack;
pub mod nft;
pub mod options;
pub mod ready;
pub mod relay;
pub mod render;
pub mod sync;
pub mod table;
pub mod track;

use std::process::ExitCode;

use anyhow::Context;
use nakhoda_client::{Client, Informers};
use nakhoda_daemon::Tasks;

pub use options::Options;

/// Runs the proxy until it is told to stop. The rules stay when it ends: connections go on while it is
/// replaced.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    let common = options.common.clone();
    nakhoda_daemon::run(&common, |tasks| start(options, tasks))
}

async fn start(options: Options, tasks: Tasks) -> anyhow::Result<()> {
    let config = options.place.config().context("cannot tell where the cluster is")?;
    let informers = Informers::new(Client::new(&config), tasks.clone());
    let health = nakhoda_daemon::health::Health::default();
    let rules = nft::Nft::new(options.pod_cidr().context("the pods' addresses are not known; see --cluster-cidr")?);
    rules.probe().await.context("nftables cannot be used on this node")?;
    let tracked = track::Track::new(&informers, &options.hostname_override);
    let ready = ready::Ready::default();
    let sync = sync::Sync::new(tracked, rules, health.clone(), ready.clone(), relay::Relays::new(tasks.clone()));
    let metrics = nakhoda_daemon::metrics::Metrics::default();
    let withdrawn = std::sync::Arc::new(move |path: &str| ready.answer(path));
    nakhoda_daemon::serve::serve_with(&tasks, options.health_bind, health, metrics, withdrawn)
        .await
        .context("cannot serve health checks")?;
    tasks.spawn("rules", sync.run());
    Ok(())
}
