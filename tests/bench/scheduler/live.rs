//! Any scheduler behind any API server: hollow nodes, then pods of a shape, until the watch has shown a node of each.
//! What was made is removed.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nakhoda_client::Config;
use serde_json::{Value, json};

use super::shapes::{self, Shape};
use crate::figures::Figures;
use crate::lines::Lines;
use crate::load;
use crate::process::{Peak, Process};
use crate::rest::{Connection, JSON};

/// Clients that make pods at a time.
const CLIENTS: usize = 32;
/// Without a further pod for so long, the scheduler is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(120);
/// What marks the objects of this run.
const MARK: &str = "bench";

/// How much of what.
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) placed: usize,
    pub(super) pods: usize,
}

/// An API server, and the scheduler's process if it is on this machine.
pub(super) struct Place {
    pub(super) kubeconfig: PathBuf,
    pub(super) pid: Option<u32>,
}

/// Measures the shapes one after the other.
pub(super) async fn run(place: &Place, shapes: &[Shape], size: &Size) -> Result<Figures> {
    let config = Config::from_kubeconfig(&place.kubeconfig)?;
    let clients = load::connections(&config, CLIENTS).await?;
    let mut figures = Figures::default();
    let measured = async {
        namespaces(&clients[0]).await?;
        load::run(&clients, 0..size.nodes, node).await?;
        for shape in shapes {
            measure(&config, &clients, place, *shape, size, &mut figures).await?;
        }
        anyhow::Ok(())
    };
    let measured = measured.await;
    clean(&clients[0]).await?;
    measured?;
    Ok(figures)
}

async fn measure(
    config: &Config,
    clients: &[Connection],
    place: &Place,
    shape: Shape,
    size: &Size,
    figures: &mut Figures,
) -> Result<()> {
    let nodes = size.nodes;
    let placed = move |client, index| pod(client, shape, index, Some(format!("node-{}", index % nodes)));
    load::run(clients, 0..size.placed, placed).await?;
    let path = "/api/v1/pods?watch=true&resourceVersion=0&timeoutSeconds=3600&fieldSelector=spec.nodeName%21%3D";
    let mut seen = Seen { lines: Lines::open(config, path).await?, count: 0 };
    seen.until(size.placed).await?;
    let process = place.pid.map(Process);
    let (before, peak) = (process.map(Process::cpu).transpose()?, process.map(Peak::follow));
    let begun = Instant::now();
    let makers = clients.to_vec();
    let (first, last) = (size.placed, size.placed + size.pods);
    let making = tokio::spawn(async move {
        let made = move |client, index| pod(client, shape, index, None);
        load::run(&makers, first..last, made).await
    });
    seen.until(last).await?;
    let took = begun.elapsed();
    let made = making.await??;
    let name = shape.name();
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    let pods = size.pods as f64;
    figures.add(format!("{name}, pods made"), made.rate(), "1/s");
    figures.add(format!("{name}, pods bound"), pods / took.as_secs_f64(), "1/s");
    if let (Some(process), Some(before), Some(peak)) = (process, before, peak) {
        let spent = process.cpu()?.saturating_sub(before).as_secs_f64() * 1e3;
        figures.add(format!("{name}, scheduler's CPU for a pod"), spent / pods, "ms");
        figures.add(format!("{name}, scheduler's memory, most"), peak.end().await?, "MiB");
    }
    remove_pods(&clients[0]).await
}

/// Pods with a node, as a watch tells of them.
struct Seen {
    lines: Lines,
    count: usize,
}

impl Seen {
    async fn until(&mut self, count: usize) -> Result<()> {
        while self.count < count {
            let stuck = || format!("{} of {count} pods have a node, and no more come", self.count);
            let line = self.lines.next(PATIENCE).await.with_context(stuck)?;
            self.count += usize::from(line.starts_with(br#"{"type":"ADDED""#));
        }
        Ok(())
    }
}

async fn namespaces(client: &Connection) -> Result<()> {
    let mut all = vec![named("default")];
    for namespace in shapes::namespaces() {
        all.push(json!(namespace?));
    }
    for namespace in all {
        let name = namespace["metadata"]["name"].as_str().context("a name")?.to_owned();
        client.ensure("/api/v1/namespaces", namespace.to_string()).await?;
        let accounts = format!("/api/v1/namespaces/{name}/serviceaccounts");
        client.ensure(&accounts, named("default").to_string()).await?;
    }
    Ok(())
}

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

async fn node(client: Connection, index: usize) -> Result<()> {
    let mut node = json!(shapes::node(index)?);
    node["metadata"]["labels"][MARK] = "true".into();
    node["status"]["capacity"] = node["status"]["allocatable"].clone();
    node["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "reason": "Hollow",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "lastHeartbeatTime": "2026-01-01T00:00:00Z"}]);
    client.post("/api/v1/nodes", node.to_string()).await?;
    // a new node is tainted, and whoever takes that away may not be there
    let path = format!("/api/v1/nodes/node-{index}");
    client.merge(&path, json!({"spec": {"taints": null}}).to_string()).await
}

async fn pod(client: Connection, shape: Shape, index: usize, node: Option<String>) -> Result<()> {
    let mut pod = json!(shape.pod(index)?);
    let namespace = pod["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        metadata.remove("uid");
    }
    pod["metadata"]["labels"][MARK] = "true".into();
    pod["spec"]["automountServiceAccountToken"] = false.into();
    pod["spec"]["terminationGracePeriodSeconds"] = 0.into();
    if let Some(node) = node {
        pod["spec"]["nodeName"] = node.into();
    }
    client.post(&format!("/api/v1/namespaces/{namespace}/pods"), pod.to_string()).await.map(drop)
}

async fn clean(client: &Connection) -> Result<()> {
    remove_pods(client).await?;
    client.delete(&format!("/api/v1/nodes?labelSelector={MARK}%3Dtrue")).await?;
    for namespace in shapes::namespaces() {
        let name = namespace?.metadata.name.unwrap_or_default();
        client.delete(&format!("/api/v1/namespaces/{name}")).await?;
    }
    Ok(())
}

async fn remove_pods(client: &Connection) -> Result<()> {
    let spaces = shapes::namespaces().map(|namespace| Ok(namespace?.metadata.name.unwrap_or_default()));
    let spaces = spaces.chain([Ok("default".to_owned())]).collect::<Result<Vec<String>>>()?;
    for name in spaces {
        client.delete(&format!("/api/v1/namespaces/{name}/pods?labelSelector={MARK}%3Dtrue")).await?;
    }
    let begun = Instant::now();
    loop {
        let left = client.get(&format!("/api/v1/pods?labelSelector={MARK}%3Dtrue&limit=1"), JSON).await?;
        let left: Value = serde_json::from_slice(&left)?;
        if left["items"].as_array().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "pods do not go");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
