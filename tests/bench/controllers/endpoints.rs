//! A Service of many pods, and how soon its slices tell that one has become unready.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Bench, NAMESPACE, PATIENCE, event, template};
use crate::lines::Lines;
use crate::load;
use crate::rest::Connection;

/// How many pods become unready and ready again, one after the other.
const CHANGES: usize = 20;

/// The ready endpoints of each slice, as a watch tells.
struct Slices {
    lines: Lines,
    ready: BTreeMap<String, usize>,
}

/// Measures.
pub(super) async fn change(bench: &mut Bench, pods: usize) -> Result<()> {
    let service = json!({"metadata": {"name": "wide"}, "spec": {"selector": {"app": "wide"}, "ports": [{"port": 80}]}});
    bench.clients[0].post(&format!("/api/v1/namespaces/{NAMESPACE}/services"), service.to_string()).await?;
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices?watch=true&timeoutSeconds=3600&labelSelector=kubernetes.io%2Fservice-name%3Dwide"
    );
    let mut slices = Slices { lines: Lines::open(&bench.config, &path).await?, ready: BTreeMap::new() };
    let begun = Instant::now();
    load::run(&bench.clients, 0..pods, make).await?;
    slices.until(pods).await?;
    bench.seconds(format!("a Service of {pods} pods, all made and told"), begun.elapsed());
    let mut times = Vec::new();
    for index in 0..CHANGES.min(pods) {
        let client = bench.clients[0].clone();
        let begun = Instant::now();
        set_ready(&client, index, false).await?;
        slices.until(pods - 1).await?;
        times.push(begun.elapsed());
        set_ready(&client, index, true).await?;
        slices.until(pods).await?;
    }
    bench.figures.times(&format!("a Service of {pods} pods, one unready and told"), &mut times);
    Ok(())
}

// === impl Slices ===

impl Slices {
    async fn until(&mut self, count: usize) -> Result<()> {
        while self.ready.values().sum::<usize>() != count {
            let stuck = || format!("{} of {count} endpoints are ready", self.ready.values().sum::<usize>());
            let line = self.lines.next(PATIENCE).await.with_context(stuck)?;
            let event = event(&line)?;
            let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let ready = |endpoint: &&Value| endpoint["conditions"]["ready"] == true;
            let count = event["object"]["endpoints"].as_array().map_or(0, |all| all.iter().filter(ready).count());
            self.ready.insert(name, if event["type"] == "DELETED" { 0 } else { count });
        }
        Ok(())
    }
}

async fn make(client: Connection, index: usize) -> Result<()> {
    let mut pod = template("wide");
    pod["metadata"]["name"] = format!("wide-{index}").into();
    client.post(&format!("/api/v1/namespaces/{NAMESPACE}/pods"), pod.to_string()).await?;
    set_ready(&client, index, true).await
}

async fn set_ready(client: &Connection, index: usize, ready: bool) -> Result<()> {
    let address = format!("10.{}.{}.{}", 64 + index / 60_000, index / 250 % 240, index % 250 + 1);
    let status = if ready { "True" } else { "False" };
    let status = json!({"status": {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    }});
    client.merge(&format!("/api/v1/namespaces/{NAMESPACE}/pods/wide-{index}/status"), status.to_string()).await
}
