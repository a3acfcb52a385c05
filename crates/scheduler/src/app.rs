//! Builds the daemon: client, informers, election, engine, health server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_api::kinds::pressure::NodePressure;
use nakhoda_api::kinds::resource::{DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice};
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_api::kinds::storage::{CSINode, StorageClass};
use nakhoda_client::leader::{self, Settings};
use nakhoda_client::{Client, Informers, Key, Recorder, WriteOptions};
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_daemon::{Tasks, serve};
use tokio::sync::mpsc;

use crate::act::Actions;
use crate::config::Config;
use crate::engine::Engine;
use crate::metrics::Counts;
use crate::news::{self, News};
use crate::options::Options;
use crate::queue::Queue;

/// In whose name fields are written.
const MANAGER: &str = "kube-scheduler";

/// Starts everything.
pub async fn start(options: Options, tasks: Tasks) -> anyhow::Result<()> {
    let config = match &options.config {
        Some(path) => read(path).context("--config")?,
        None => Config::named(&options.scheduler_name),
    };
    let kubeconfig = options.kubeconfig.or_else(|| config.kubeconfig.clone());
    let kubeconfig = kubeconfig.context("--kubeconfig, or clientConnection.kubeconfig in --config, is needed")?;
    let place = nakhoda_client::Config::from_kubeconfig(&kubeconfig).context("--kubeconfig")?;
    let (health, metrics) = (Health::default(), Metrics::default());
    let manager = WriteOptions { field_manager: MANAGER.into(), ..WriteOptions::default() };
    let client = Client::new(&place).writing(manager);
    let synced = schedule(&tasks, &client, &config, &metrics);
    let ready = move || if synced.load(Ordering::Relaxed) { Ok(()) } else { Err("nodes or pods not read yet".into()) };
    health.ready("informer-sync", Arc::new(ready));
    serve::serve(&tasks, options.health_address, health, metrics).await.context("--health-address")?;
    tracing::info!(address = %options.health_address, "scheduler runs");
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Config> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Config::read(&bytes).with_context(|| path.display().to_string())
}

/// Starts the scheduler itself over any client. The flag says when it has read what there is.
pub fn schedule(tasks: &Tasks, client: &Client, config: &Config, metrics: &Metrics) -> Arc<AtomicBool> {
    let informers = Informers::new(client.clone(), tasks.clone());
    let (nodes, namespaces, pods) = (informers.of::<Node>(), informers.of::<Namespace>(), informers.of::<Pod>());
    let (volumes, claims) = (informers.of::<PersistentVolume>(), informers.of::<PersistentVolumeClaim>());
    let (classes, limits) = (informers.of::<StorageClass>(), informers.of::<CSINode>());
    let (budgets, groups) = (informers.of::<PodDisruptionBudget>(), informers.of::<PodGroup>());
    let jobs = informers.of::<Job>();
    let (device_claims, slices) = (informers.of::<ResourceClaim>(), informers.of::<ResourceSlice>());
    let pressures = informers.of::<NodePressure>();
    let (device_classes, rules) = (informers.of::<DeviceClass>(), informers.of::<DeviceTaintRule>());
    let recorder = |name: &str| (name.to_owned(), Recorder::new(client.clone(), tasks, name, ""));
    let recorders = config.profiles.names().map(recorder).collect();
    let (sender, news) = mpsc::unbounded_channel();
    let actions = Actions::new(tasks.clone(), recorders, sender.clone(), claims.clone());
    let queue = Queue::new(config.backoff);
    let engine = Engine::new(config.profiles.clone(), queue, client.clone(), actions, Counts::new(metrics));
    let elect =
        |(lease, settings): &(Key, Settings)| leader::run(tasks, client, lease.clone(), &leader::identity(), *settings);
    let leadership = config.election.as_ref().map(elect);
    let synced = Arc::new(AtomicBool::new(false));
    let (flag, tasks) = (synced.clone(), tasks.clone());
    tasks.clone().spawn("scheduling", async move {
        nodes.synced().await;
        namespaces.synced().await;
        pods.synced().await;
        budgets.synced().await;
        volumes.synced().await;
        claims.synced().await;
        classes.synced().await;
        limits.synced().await;
        // What is given away must be known before anything is given.
        device_claims.synced().await;
        // Groups and jobs need not be known first: members wait until theirs is, and the end of a job moves its pods.
        // Pressures may never come: no kubelet has to measure them.
        flag.store(true, Ordering::Relaxed);
        news::feed(&tasks, "nodes", &nodes, &sender, News::Node);
        news::feed(&tasks, "namespaces", &namespaces, &sender, News::Namespace);
        news::feed(&tasks, "pods", &pods, &sender, News::Pod);
        news::feed(&tasks, "disruption budgets", &budgets, &sender, News::Budget);
        news::feed(&tasks, "volumes", &volumes, &sender, News::Volume);
        news::feed(&tasks, "claims", &claims, &sender, News::Claim);
        news::feed(&tasks, "storage classes", &classes, &sender, News::Class);
        news::feed(&tasks, "attach limits", &limits, &sender, News::Limits);
        news::feed(&tasks, "pod groups", &groups, &sender, News::Group);
        news::feed(&tasks, "jobs", &jobs, &sender, News::Job);
        news::feed(&tasks, "device claims", &device_claims, &sender, News::DeviceClaim);
        news::feed(&tasks, "devices", &slices, &sender, News::Slice);
        news::feed(&tasks, "device classes", &device_classes, &sender, News::DeviceClass);
        news::feed(&tasks, "device taints", &rules, &sender, News::TaintRule);
        news::feed(&tasks, "pressures", &pressures, &sender, News::Pressure);
        engine.run(news, leadership).await;
    });
    synced
}
