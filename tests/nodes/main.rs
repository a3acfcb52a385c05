//! Several nodes (scripts/up --nodes 3): pods spread, traffic crosses, data outlives its pod, busy pods become more, a
//! node is drained, a node dies.

mod autoscale;
mod data;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::service;

const NODES: usize = 3;
const IMAGE: &str = "nakhoda-test/app:1";

fn nodes_of(app: &App) -> Result<BTreeSet<String>> {
    Ok(app.pods()?.into_iter().map(|p| p.node).collect())
}

fn three_nodes() -> Result<()> {
    let text = Client::ctl().run(&["get", "nodes"])?;
    ensure!(text.matches(" Ready").count() == NODES, "this suite needs `scripts/up --nodes 3`:\n{text}");
    Ok(())
}

/// Every pod reaches every other by its address and all of them through the Service.
fn traffic(app: &App) -> Result<()> {
    let pods = app.pods()?;
    for from in &pods {
        for to in &pods {
            let url = format!("http://{}:8080/", to.address);
            let name = app.run(&["exec", &from.name, "--", "wget", "-qO-", &url])?;
            ensure!(name.trim() == to.name, "{} asked {} and got {name}", from.name, to.name);
        }
        let mut seen = BTreeSet::new();
        for _ in 0..30 {
            seen.insert(app.run(&["exec", &from.name, "--", "wget", "-qO-", "http://app/"])?);
        }
        ensure!(seen.len() == pods.len(), "the Service led {} to {seen:?} only", from.name);
    }
    Ok(())
}

fn drained(app: &App) -> Result<()> {
    app.client.run(&["drain", "node-2", "--ignore-daemonsets", "--delete-emptydir-data"])?;
    app.ready(NODES)?;
    ensure!(!nodes_of(app)?.contains("node-2"), "pods are left on node-2");
    app.client.run(&["uncordon", "node-2"])?;
    Ok(())
}

fn node_died(app: &App) -> Result<()> {
    service::pause("kubelet-node-3")?;
    let gone = eventually_twice(|| {
        let pods = app.pods()?;
        let elsewhere = pods.iter().filter(|p| p.node != "node-3" && !p.address.is_empty()).count();
        ensure!(elsewhere == NODES, "{pods:?}");
        Ok(())
    });
    service::resume("kubelet-node-3")?;
    gone?;
    eventually("node-3 to come back", three_nodes)?;
    app.ready(NODES).map(drop)
}

/// A node counts as gone 50 s after its last sign of life: one wait of a minute is too short.
fn eventually_twice(mut attempt: impl FnMut() -> Result<()>) -> Result<()> {
    eventually("pods elsewhere", &mut attempt).or_else(|_| eventually("pods elsewhere", &mut attempt))
}

fn run() -> Result<()> {
    three_nodes()?;
    let app = App::start("nodes", NODES)?;
    ensure!(nodes_of(&app)?.len() == NODES, "not spread: {:?}", app.pods()?);
    traffic(&app)?;
    data::outlives_its_pod(&app)?;
    autoscale::busy_pods_become_more(&app)?;
    drained(&app)?;
    node_died(&app)?;
    app.end()
}

#[test]
fn pods_spread_traffic_crosses_and_lost_nodes_are_made_up_for() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}
