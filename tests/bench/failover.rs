//! `bench failover`: for how long nothing can be written when a part of the control plane of docker-compose.yml dies,
//! how long a new leader takes, and how long a machine takes from the printed line until it is Ready. In a network
//! of its own (`scripts/bench failover`).

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nakhoda_api::kinds::coordination::Lease;
use nakhoda_api::kinds::core::{ConfigMap, Node};
use nakhoda_client::{Client, Config};
use nakhoda_tests::machine;
use nakhoda_tests::plane::{Plane, signal};
use nakhoda_tests::source::state;

use crate::figures::Figures;

/// How often it is asked.
const STEP: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// Measure for how long nothing can be written, and how long leaders and nodes take
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each is measured
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Vec<Figures>> {
    machine::network()?;
    let plane = Plane::start()?.context("dockerd is not installed")?;
    plane.kubeconfig()?;
    let client = Client::new(&Config::from_kubeconfig(state().join("kubeconfig"))?);
    let mut figures = Figures::default();
    for (name, victim) in
        [("an API server is killed → writes", "apiserver-1"), ("etcd's leader is killed → writes", "etcd")]
    {
        let mut times = Vec::new();
        for _ in 0..options.runs {
            times.push(gap(&plane, &client, victim).await?);
            plane.up(&[])?;
        }
        figures.median(name, &mut times);
    }
    for (name, crash) in [("leader falls silent → another leads", true), ("leader is stopped → another leads", false)]
    {
        let mut times = Vec::new();
        for _ in 0..options.runs {
            times.push(succession(&plane, &client, crash).await?);
            plane.up(&[])?;
        }
        figures.median(name, &mut times);
    }
    let begun = Instant::now();
    let mut machine = machine::Machine::new("node-1")?;
    machine.start(&plane.line()?.iter().map(String::as_str).collect::<Vec<_>>())?;
    until(|| is_ready(&client)).await?;
    figures.median("the printed line → Ready", &mut [begun.elapsed()]);
    drop(machine);
    plane.compose(&["down", "-v"])?;
    Ok(vec![figures])
}

/// The longest time between two writes while one dies.
async fn gap(plane: &Plane, client: &Client, victim: &str) -> Result<Duration> {
    let victim = if victim == "etcd" { plane.leader("etcd")? } else { victim.to_owned() };
    let api = client.namespaced::<ConfigMap>("default");
    let pid = plane.pid(&victim)?;
    let (begun, mut last, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
    let mut killed = false;
    while begun.elapsed() < Duration::from_secs(10) {
        if !killed && begun.elapsed() > Duration::from_secs(1) {
            signal("KILL", &pid)?;
            killed = true;
        }
        let mut map = ConfigMap::default();
        map.metadata.generate_name = Some("failover-".into());
        if api.create(&map).await.is_ok() {
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        tokio::time::sleep(STEP).await;
    }
    ensure!(last.elapsed() < Duration::from_secs(1), "writes are still refused");
    Ok(longest)
}

/// From the end of a leading controller-manager until another leads.
async fn succession(plane: &Plane, client: &Client, crash: bool) -> Result<Duration> {
    let former = plane.leader("kube-controller-manager")?;
    let holder = holder(client).await?;
    let pid = plane.pid(&former)?;
    let begun = Instant::now();
    // A process that only ends is started again under its name, and may lead on.
    if crash {
        signal("STOP", &pid)?;
    } else {
        plane.compose(&["stop", &former])?;
    }
    let led = until(|| async { self::holder(client).await.is_ok_and(|now| now != holder && !now.is_empty()) }).await;
    let time = begun.elapsed();
    if crash {
        signal("CONT", &pid)?;
    }
    led.map(|()| time)
}

async fn holder(client: &Client) -> Result<String> {
    let lease = client.namespaced::<Lease>("kube-system").get("kube-controller-manager").await?;
    Ok(lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default())
}

async fn is_ready(client: &Client) -> bool {
    let node = client.all::<Node>().get("node-1").await;
    let conditions = node.ok().and_then(|node| node.status).and_then(|status| status.conditions).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

async fn until<F: Future<Output = bool>>(mut ask: impl FnMut() -> F) -> Result<()> {
    let begun = Instant::now();
    while !ask().await {
        if begun.elapsed() > PATIENCE {
            bail!("it does not come");
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(())
}
