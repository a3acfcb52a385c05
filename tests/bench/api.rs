//! `bench api`: an API server alone, or two in one run, each step on one after the other.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nakhoda_client::Config;
use serde_json::json;

use crate::figures::Figures;
use crate::process::{Peak, Process};
use crate::rest::{Connection, JSON, PROTOBUF, TABLE};
use crate::watch::Watchers;
use crate::{load, objects};

/// Measure an API server over REST, and another one in the same run
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A kubeconfig of the server
    #[arg(long)]
    kubeconfig: PathBuf,
    /// Its process on this machine, for memory and processor time
    #[arg(long)]
    pid: Option<u32>,
    /// A kubeconfig of the server to compare with
    #[arg(long)]
    peer: Option<PathBuf>,
    /// Its process
    #[arg(long, requires = "peer")]
    peer_pid: Option<u32>,
    /// Leave what was made
    #[arg(long)]
    keep: bool,
    /// Pods that are made
    #[arg(long, default_value_t = 10_000)]
    pods: usize,
    /// Watchers that are opened
    #[arg(long, default_value_t = 1000)]
    watchers: usize,
}

/// One of the measured servers.
struct Server {
    config: Config,
    /// Of this run alone: where no controller runs, a namespace never goes.
    namespace: String,
    process: Option<Process>,
    figures: Figures,
}

/// Measures; the columns are the servers.
pub(crate) async fn run(options: &Options) -> Result<Vec<Figures>> {
    let mut servers = vec![Server::new(&options.kubeconfig, options.pid)?];
    if let Some(peer) = &options.peer {
        servers.push(Server::new(peer, options.peer_pid)?);
    }
    for server in &mut servers {
        server.prepare(options.watchers).await.context("preparing")?;
    }
    for server in &mut servers {
        server.writes(options.pods).await.context("writes")?;
    }
    for server in &mut servers {
        server.reads(options.pods).await.context("reads")?;
    }
    for server in &mut servers {
        server.lists().await.context("lists")?;
    }
    for server in &mut servers {
        server.watches(options.watchers).await.context("watches")?;
    }
    for server in servers.iter().filter(|_| !options.keep) {
        server.clean().await.context("cleaning up")?;
    }
    Ok(servers.into_iter().map(|server| server.figures).collect())
}

// === impl Server ===

impl Server {
    fn new(kubeconfig: &std::path::Path, pid: Option<u32>) -> Result<Self> {
        let config = Config::from_kubeconfig(kubeconfig)?;
        let namespace = format!("bench-{}", std::process::id());
        Ok(Self { config, namespace, process: pid.map(Process), figures: Figures::default() })
    }

    async fn prepare(&mut self, watchers: usize) -> Result<()> {
        self.resident("resident, idle")?;
        let client = Connection::open(&self.config).await?;
        let named = |name: &str| json!({"metadata": {"name": name}}).to_string();
        client.post("/api/v1/namespaces", named(&self.namespace)).await?;
        // where no controller makes it
        client.ensure(&self.path("serviceaccounts"), named("default")).await?;
        let before = self.process.map(Process::resident).transpose()?;
        let idle = Watchers::open(&self.config, &self.namespace, watchers).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let (Some(before), Some(process)) = (before, self.process) {
            #[allow(clippy::cast_precision_loss, reason = "small counts")]
            let each = (process.resident()? - before) * 1024.0 / watchers as f64;
            self.figures.add("memory of an idle watch", each, "KiB");
        }
        drop(idle);
        Ok(())
    }

    async fn clean(&self) -> Result<()> {
        let client = Connection::open(&self.config).await?;
        for resource in ["pods", "configmaps"] {
            client.delete(&self.path(resource)).await?;
        }
        client.delete(&format!("/api/v1/namespaces/{}", self.namespace)).await
    }

    async fn writes(&mut self, pods: usize) -> Result<()> {
        let path = self.path("pods");
        let create = move |client: Connection, n: usize| {
            let path = path.clone();
            async move { client.post(&path, objects::pod(&format!("p-{n}"))).await.map(drop) }
        };
        let alone = pods.min(500);
        let mut one = load::run(&load::connections(&self.config, 1).await?, 0..alone, create.clone()).await?;
        self.figures.times("create pod, 1 client", &mut one.times);
        let clients = load::connections(&self.config, 64).await?;
        let before = self.cpu()?;
        let mut many = load::run(&clients, alone..pods, create).await?;
        self.figures.add("create pod, 64 clients", many.rate(), "/s");
        self.figures.times("create pod, 64 clients", &mut many.times);
        self.per_request("create pod, processor time", before, pods - alone)?;
        self.resident(&format!("resident, {pods} pods"))
    }

    async fn reads(&mut self, pods: usize) -> Result<()> {
        let path = self.path("pods");
        let get = move |client: Connection, n: usize| {
            let path = format!("{path}/p-{}", n % pods);
            async move { client.get(&path, JSON).await.map(drop) }
        };
        let clients = load::connections(&self.config, 64).await?;
        let before = self.cpu()?;
        let mut many = load::run(&clients, 0..20_000, get).await?;
        self.figures.add("get pod, 64 clients", many.rate(), "/s");
        self.figures.times("get pod, 64 clients", &mut many.times);
        self.per_request("get pod, processor time", before, 20_000)
    }

    async fn lists(&mut self) -> Result<()> {
        let (client, path) = (Connection::open(&self.config).await?, self.path("pods"));
        for (name, accept) in [("JSON", JSON), ("protobuf", PROTOBUF), ("Table", TABLE)] {
            let mut times = Vec::new();
            let before = self.process.map(Process::resident).transpose()?;
            let peak = self.process.map(Peak::follow);
            for _ in 0..7 {
                let begun = Instant::now();
                client.get(&path, accept).await?;
                times.push(begun.elapsed());
            }
            self.figures.median(&format!("list of all pods, {name}"), &mut times);
            if let (Some(before), Some(peak)) = (before, peak) {
                self.figures.add(format!("list of all pods, {name}, memory"), peak.end().await? - before, "MiB");
            }
        }
        self.resident("resident, after the lists")
    }

    async fn watches(&mut self, watchers: usize) -> Result<()> {
        let open = Watchers::open(&self.config, &self.namespace, watchers).await?;
        let spent = self.cpu()?;
        let flood = open.deliver(&self.namespace, 500, 8, Duration::ZERO).await?;
        self.figures.add(format!("{watchers} watchers, 500 creates, events"), flood.rate, "/s");
        #[allow(clippy::cast_precision_loss, reason = "small counts")]
        self.figures.add(format!("{watchers} watchers, 500 creates, cut by the server"), flood.cut as f64, "");
        self.per_request("event to one watcher, processor time", spent, watchers * 500)?;
        Connection::open(&self.config).await?.delete(&self.path("configmaps")).await?;
        let open = Watchers::open(&self.config, &self.namespace, watchers).await?;
        let mut calm = open.deliver(&self.namespace, 100, 1, Duration::from_millis(50)).await?;
        self.figures.times(&format!("{watchers} watchers, 20 creates/s, delay"), &mut calm.delays);
        Ok(())
    }

    fn path(&self, resource: &str) -> String {
        format!("/api/v1/namespaces/{}/{resource}", self.namespace)
    }

    fn cpu(&self) -> Result<Option<Duration>> {
        self.process.map(Process::cpu).transpose()
    }

    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    fn per_request(&mut self, name: &str, before: Option<Duration>, count: usize) -> Result<()> {
        if let (Some(before), Some(after)) = (before, self.cpu()?) {
            self.figures.add(name, (after - before).as_secs_f64() * 1e6 / count as f64, "µs");
        }
        Ok(())
    }

    fn resident(&mut self, name: &str) -> Result<()> {
        if let Some(process) = self.process {
            self.figures.add(name, process.resident()?, "MiB");
        }
        Ok(())
    }
}
