//! Measures every ten seconds, and writes the node's object when that is news.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node;
use nakhoda_api::kinds::pressure::{NodePressure, PodPressure, Stalls};
use nakhoda_api::{Object, Status};
use nakhoda_client::{Client, DynamicApi, Error, Patch, Resource};
use tokio::sync::watch;

use super::hierarchy::Hierarchy;
use super::psi::{Average, Totals};
use super::report::Report;
use crate::host::Host;
use crate::pod::core::View;
use crate::pod::manager::Manager;
use crate::pod::{sandbox, spec};
use crate::usage::NODE;

const PERIOD: Duration = Duration::from_secs(10);
/// After a failed write: the cluster may not know the kind.
const AGAIN: Duration = Duration::from_secs(60);

/// What is kept between two rounds: the last readings and averages, of pods by UID and of the node as [`NODE`].
#[derive(Debug, Default)]
struct Readings {
    last: HashMap<String, (Instant, Totals, Average)>,
}

/// Measures until the kubelet stops, and then leaves nothing behind. On cgroup v1 the hierarchy is mounted at `at`.
pub async fn run(host: Arc<Host>, manager: Manager, client: Client, at: PathBuf, node: watch::Receiver<Option<Node>>) {
    let hierarchy = match Hierarchy::open(&host.cgroups, &at) {
        Ok(Some(hierarchy)) => Arc::new(hierarchy),
        Ok(None) => return tracing::info!("this kernel does not measure stalls; no NodePressure is written"),
        Err(error) => return tracing::warn!(%error, at = %at.display(), "stalls cannot be measured"),
    };
    tokio::select! {
        () = host.tasks.stopping() => {}
        () = measure(&host, &manager, &client, &hierarchy, &node) => {}
    }
    if let Err(error) = hierarchy.close() {
        tracing::warn!(%error, at = %at.display(), "the cgroup hierarchy stays mounted");
    }
}

async fn measure(
    host: &Arc<Host>,
    manager: &Manager,
    client: &Client,
    hierarchy: &Arc<Hierarchy>,
    node: &watch::Receiver<Option<Node>>,
) {
    let api = client.dynamic(&NodePressure::gvr(), None);
    let (mut readings, mut told, mut next) = (Readings::default(), None, Instant::now());
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (host, manager, hierarchy) = (host.clone(), manager.clone(), hierarchy.clone());
        let name = host.name.clone();
        let round = tokio::task::spawn_blocking(move || {
            let report = readings.round(&host, &manager, &hierarchy);
            (readings, report)
        });
        let report;
        // A panic while measuring has been reported by its own thread; what was known is lost with it.
        (readings, report) = round.await.unwrap_or_default();
        let uid = node.borrow().as_ref().map(|node| node.uid().to_owned());
        let is_news = told.as_ref().is_none_or(|told| report.is_news(told));
        if let Some(uid) = uid.filter(|_| is_news && Instant::now() >= next) {
            told = match write(&api, &report, &name, &uid).await {
                Ok(()) => Some(report),
                Err(error) => {
                    tracing::debug!(%error, "NodePressure not written; trying again");
                    next = Instant::now() + AGAIN;
                    None
                }
            };
        }
    }
}

async fn write(api: &DynamicApi, report: &Report, node: &str, uid: &str) -> Result<(), Error> {
    let object = report.object(node, uid, Timestamp::now());
    match api.patch(node, &Patch::merge(&object)).await {
        Err(error) if error.is_not_found() => {
            let object = Object::from_value(object).map_err(|error| Status::internal(&error))?;
            api.create(&object).await.map(drop)
        }
        outcome => outcome.map(drop),
    }
}

// === impl Readings ===

impl Readings {
    fn round(&mut self, host: &Host, manager: &Manager, hierarchy: &Hierarchy) -> Report {
        // A pod is known before it has a group: one whose group was there first and that is not known now is gone.
        let groups = hierarchy.pods();
        let views = manager.views();
        let known: HashSet<&str> = views.iter().map(|view| spec::uid(&view.pod)).collect();
        hierarchy.forget(&groups.into_iter().filter(|uid| !known.contains(uid.as_str())).collect());
        let pods: Vec<PodPressure> = views
            .iter()
            .filter(|view| view.observed.is_running())
            .filter_map(|view| self.pod(view, &sandbox::cgroup(host, &view.pod), hierarchy))
            .collect();
        let node = self.note(NODE, hierarchy.node()).unwrap_or_default();
        self.last.retain(|uid, _| uid == NODE || known.contains(uid.as_str()));
        Report::new(node, pods)
    }

    fn pod(&mut self, view: &View, parent: &str, hierarchy: &Hierarchy) -> Option<PodPressure> {
        let pod = &view.pod;
        if let Err(error) = hierarchy.gather(parent) {
            tracing::debug!(%error, pod = spec::full_name(pod), "processes not sorted");
        }
        let stalls = self.note(spec::uid(pod), hierarchy.pod(parent))?;
        let (namespace, name, uid) = (spec::namespace(pod).into(), spec::name(pod).into(), spec::uid(pod).into());
        Some(PodPressure { namespace, name, uid, stalls })
    }

    /// The average with another reading; none if it is the first.
    fn note(&mut self, id: &str, totals: std::io::Result<Totals>) -> Option<Stalls> {
        let now = Instant::now();
        let totals = match totals {
            Ok(totals) => totals,
            // Groups go at any time with their pods.
            Err(error) => {
                tracing::debug!(%error, id, "stalls not read");
                return None;
            }
        };
        let known = self.last.get(id).copied();
        let average = known.map(|(at, before, average)| average.next(before, totals, now.duration_since(at)));
        self.last.insert(id.into(), (now, totals, average.unwrap_or_default()));
        average.map(Average::rounded)
    }
}
