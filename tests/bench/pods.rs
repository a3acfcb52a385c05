//! How long pods take from their creation until a watch sees them run.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use nakhoda_api::kinds::core::{Container, Namespace, Pod, PodSpec};
use nakhoda_client::api::{Watch, WatchEvent};
use nakhoda_client::{Api, Client, Config};

use crate::figures::Figures;
use crate::process::Process;

const TOGETHER: usize = 50;
const IN_TURN: usize = 15;
/// More than anything here should take.
const PATIENCE: Duration = Duration::from_secs(120);
/// For so long nothing happens before a kubelet at rest is looked at, and while it is.
const REST: Duration = Duration::from_secs(20);

const NAMESPACE: &str = "bench";

/// Measure how long pods take to run on a cluster
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The cluster's kubeconfig
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The image of the measured pods; it must be on the nodes
    #[arg(long, default_value = "nakhoda-test/app:1")]
    image: String,
    /// The kubelet that runs them: what it holds and takes with all of them at rest
    #[arg(long)]
    kubelet_pid: Option<u32>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Vec<Figures>> {
    let client = Client::new(&Config::from_kubeconfig(&options.kubeconfig)?);
    let mut namespace = Namespace::default();
    namespace.metadata.name = Some(NAMESPACE.into());
    client.all::<Namespace>().create(&namespace).await.context("cannot make the namespace `bench`")?;
    let mut figures = Figures::default();
    let measured = measure(&client, options, &mut figures).await;
    client.all::<Namespace>().delete(NAMESPACE, &Default::default()).await?;
    measured?;
    Ok(vec![figures])
}

/// Pods in turn, then many at once.
async fn measure(client: &Client, options: &Options, figures: &mut Figures) -> Result<()> {
    let (api, image) = (client.namespaced::<Pod>(NAMESPACE), options.image.as_str());
    let mut times = Vec::new();
    for n in 0..IN_TURN {
        times.extend(start(&api, image, &[format!("turn-{n}")]).await?);
    }
    figures.times("pod create → Running, in turn", &mut times);
    let names: Vec<String> = (0..TOGETHER).map(|n| format!("together-{n}")).collect();
    let all = start(&api, image, &names).await?;
    let last = all.iter().max().copied().unwrap_or_default();
    figures.add(format!("{TOGETHER} pods at once, all Running after"), last.as_secs_f64() * 1000.0, "ms");
    match options.kubelet_pid {
        Some(pid) => at_rest(Process(pid), figures).await,
        None => Ok(()),
    }
}

/// What a kubelet holds, and takes of a core, when its pods only run.
async fn at_rest(kubelet: Process, figures: &mut Figures) -> Result<()> {
    tokio::time::sleep(REST).await;
    let before = kubelet.cpu()?;
    tokio::time::sleep(REST).await;
    let spent = kubelet.cpu()?.saturating_sub(before);
    figures.add("kubelet with all of them, resident", kubelet.resident()?, "MiB");
    figures.add("kubelet with all of them, of a core", spent.as_secs_f64() / REST.as_secs_f64(), "");
    Ok(())
}

async fn start(api: &Api<Pod>, image: &str, names: &[String]) -> Result<Vec<Duration>> {
    let mut events = api.watch(&Watch { initial: true, ..Watch::default() }).await?;
    let mut begun = HashMap::new();
    for name in names {
        begun.insert(name.clone(), Instant::now());
        api.create(&pod(name, image)).await?;
    }
    let mut times = Vec::new();
    let seen = async {
        while times.len() < names.len() {
            let event = events.next().await.context("the watch ended")??;
            let (WatchEvent::Added(pod) | WatchEvent::Modified(pod)) = event else { continue };
            let running = pod.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Running");
            let name = pod.metadata.name.unwrap_or_default();
            if let Some(start) = running.then(|| begun.remove(&name)).flatten() {
                times.push(start.elapsed());
            }
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, seen).await.context("not all pods run")??;
    Ok(times)
}

fn pod(name: &str, image: &str) -> Pod {
    let container = Container { name: "c".into(), image: Some(image.into()), ..Container::default() };
    let spec = PodSpec {
        containers: vec![container],
        termination_grace_period_seconds: Some(0),
        automount_service_account_token: Some(false),
        ..PodSpec::default()
    };
    let mut pod = Pod { spec: Some(spec), ..Pod::default() };
    pod.metadata.name = Some(name.into());
    pod
}
