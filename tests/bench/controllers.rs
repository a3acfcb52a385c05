//! Controllers behind any API server: how soon what was asked for is there, and what they cost. No node and no kubelet
//! take part: what is measured ends with what controllers write.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nakhoda_client::Config;
use serde_json::{Value, json};

use crate::figures::Figures;
use crate::lines::Lines;
use crate::load;
use crate::process::Process;
use crate::rest::Connection;

mod endpoints;
mod workloads;

/// Clients that write at a time.
const CLIENTS: usize = 32;
/// Without an event for so long, the controllers are taken for stuck.
const PATIENCE: Duration = Duration::from_secs(120);
/// Where what is made lies.
const NAMESPACE: &str = "bench-controllers";
/// The namespace whose end is measured.
const DOOMED: &str = "bench-doomed";
/// How long the controllers are watched while nothing happens.
const REST: Duration = Duration::from_secs(10);

/// Work done by controllers, and their CPU and memory
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The API server whose controllers are measured
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The controller-manager's process, whose CPU and memory are told
    #[arg(long)]
    pid: Option<u32>,
    /// Pods of the one large Deployment
    #[arg(long, default_value_t = 500)]
    replicas: usize,
    /// Small Deployments
    #[arg(long, default_value_t = 2000)]
    deployments: usize,
    /// Pods of each small Deployment
    #[arg(long, default_value_t = 10)]
    each: usize,
    /// Pods of the Service
    #[arg(long, default_value_t = 1000)]
    endpoints: usize,
    /// Objects in the namespace that is deleted
    #[arg(long, default_value_t = 1000)]
    objects: usize,
    /// Pods in all when memory is told again
    #[arg(long, default_value_t = 50_000)]
    pods: usize,
}

/// What every step needs.
struct Bench {
    config: Config,
    clients: Vec<Connection>,
    process: Option<Process>,
    figures: Figures,
}

/// Measures one thing after the other.
pub(crate) async fn run(options: &Options) -> Result<Vec<Figures>> {
    let config = Config::from_kubeconfig(&options.kubeconfig)?;
    let clients = load::connections(&config, CLIENTS).await?;
    let mut bench = Bench { config, clients, process: options.pid.map(Process), figures: Figures::default() };
    let measured = bench.measure(options).await;
    let cleaned = bench.clients[0].delete(&format!("/api/v1/namespaces/{NAMESPACE}")).await;
    measured?;
    cleaned?;
    Ok(vec![bench.figures])
}

// === impl Bench ===

impl Bench {
    async fn measure(&mut self, options: &Options) -> Result<()> {
        self.namespace(NAMESPACE).await?;
        self.rest("at rest").await?;
        workloads::one(self, options.replicas).await?;
        workloads::many(self, options.deployments, options.each).await?;
        endpoints::change(self, options.endpoints).await?;
        self.end_of_namespace(options.objects).await?;
        let made = options.replicas + options.deployments * options.each + options.endpoints;
        workloads::fill(self, made..options.pods.max(made)).await?;
        self.rest(&format!("with {} pods", options.pods.max(made))).await
    }

    /// A namespace in which pods can be made.
    async fn namespace(&self, name: &str) -> Result<()> {
        let client = &self.clients[0];
        client.ensure("/api/v1/namespaces", json!({"metadata": {"name": name}}).to_string()).await?;
        let accounts = format!("/api/v1/namespaces/{name}/serviceaccounts");
        client.ensure(&accounts, json!({"metadata": {"name": "default"}}).to_string()).await
    }

    /// What the controllers cost while nothing happens.
    async fn rest(&mut self, when: &str) -> Result<()> {
        let Some(process) = self.process else { return Ok(()) };
        tokio::time::sleep(REST).await;
        let before = process.cpu()?;
        tokio::time::sleep(REST).await;
        let spent = process.cpu()?.saturating_sub(before);
        self.figures.add(format!("{when}, CPU in a second"), spent.as_secs_f64() * 1e3 / REST.as_secs_f64(), "ms");
        self.figures.add(format!("{when}, memory"), process.resident()?, "MiB");
        Ok(())
    }

    async fn end_of_namespace(&mut self, objects: usize) -> Result<()> {
        self.namespace(DOOMED).await?;
        load::run(&self.clients, 0..objects, |client, index| async move {
            let map = json!({"metadata": {"name": format!("map-{index}")}, "data": {"k": "v"}});
            client.post(&format!("/api/v1/namespaces/{DOOMED}/configmaps"), map.to_string()).await.map(drop)
        })
        .await?;
        let path = format!("/api/v1/namespaces?watch=true&timeoutSeconds=3600&fieldSelector=metadata.name%3D{DOOMED}");
        let mut watch = Lines::open(&self.config, &path).await?;
        let begun = Instant::now();
        self.clients[0].delete(&format!("/api/v1/namespaces/{DOOMED}")).await?;
        while event(&watch.next(PATIENCE).await?)?["type"] != "DELETED" {}
        self.seconds(format!("a namespace of {objects} objects is gone"), begun.elapsed());
        Ok(())
    }

    fn seconds(&mut self, name: String, time: Duration) {
        self.figures.add(name, time.as_secs_f64(), "s");
    }
}

fn event(line: &[u8]) -> Result<Value> {
    serde_json::from_slice(line).context("an event")
}

/// The template of pods that nobody schedules.
fn template(app: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {
            "schedulerName": "nobody", "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "c", "image": "pause", "ports": [{"containerPort": 80}]}],
        },
    })
}
