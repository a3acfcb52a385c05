//! The process: it stands for election, and while it leads, all controllers run.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nakhoda_client::leader::{self, Leadership};
use nakhoda_client::queue::meter::Meters;
use nakhoda_client::{Client, Config, Informers, Key};
use nakhoda_daemon::Tasks;
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use tokio::sync::watch;

use crate::context::Context;
use crate::controllers::{self, Entry};
use crate::material::Material;
use crate::options::Options;

/// The pause between two terms of one process.
const SETTLED: Duration = Duration::from_secs(1);

/// Runs until SIGTERM.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    let common = options.common.clone();
    nakhoda_daemon::run(&common, |tasks| start(tasks, options))
}

async fn start(tasks: Tasks, options: Options) -> anyhow::Result<()> {
    let config = Config::from_kubeconfig(&options.kubeconfig).context("--kubeconfig")?;
    let material = Material::load(&options)?;
    let selected = controllers::selected(&options.controllers).context("--controllers")?;
    let client = Client::new(&config);
    let (health, metrics) = (Health::default(), Metrics::default());
    let meters = Meters::new(&metrics);
    nakhoda_daemon::serve::serve(&tasks, options.bind_address, health, metrics).await.context("--bind-address")?;
    let lease = Key::new("kube-system", "kube-controller-manager");
    let leadership = leader::run(&tasks, &client, lease, &leader::identity(), leader::Settings::default());
    let options = Arc::new(options);
    tasks.clone().spawn("terms", terms(tasks, client, leadership, selected, options, material, meters));
    Ok(())
}

/// Each term has tasks, caches and a fence of its own; nothing of it outlives it. Renewed keys and authorities
/// begin one, too: whoever holds the old ones goes with theirs.
async fn terms(
    tasks: Tasks,
    client: Client,
    mut leadership: watch::Receiver<Leadership>,
    selected: Vec<&'static Entry>,
    options: Arc<Options>,
    material: Material,
    meters: Meters,
) {
    let mut material = Arc::new(material);
    while let Some(fence) = leader::lead(&mut leadership).await {
        tracing::info!(holder = fence.holder, transitions = fence.transitions, "leading");
        let term = tasks.child();
        let cx = Context {
            informers: Informers::new(client.clone(), term.clone()),
            client: client.fenced(fence.clone()),
            tasks: term.clone(),
            options: options.clone(),
            material: material.clone(),
            meters: meters.clone(),
        };
        for controller in &selected {
            tracing::debug!(controller = controller.name, "starting");
            (controller.start)(&cx);
        }
        drop(cx);
        tokio::select! {
            () = leader::lose(&mut leadership, &fence) => tracing::warn!("no longer leading"),
            renewed = material.renewed(&options) => {
                tracing::info!("keys and authorities reloaded");
                material = Arc::new(renewed);
            }
        }
        term.stop();
        // What was on its way to the API server arrives before others look what there is.
        tokio::time::sleep(SETTLED).await;
    }
}
