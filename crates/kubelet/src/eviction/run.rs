//! Looks every ten seconds, and ends one pod at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::ballast::Ballast;
use super::plan::{self, Eviction, Memory, PodUsage};
use super::threshold::{Observation, Signal, Threshold};
use super::{REASON, limits, usage};
use crate::cri;
use crate::host::Host;
use crate::node::machine::Machine;
use crate::pod::manager::Manager;
use crate::pod::spec;
use crate::source::Severity;

const PERIOD: Duration = Duration::from_secs(10);

/// When pods are ended, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When the node is short of something.
    pub thresholds: Vec<Threshold>,
    /// Seconds that pods get where a threshold may be passed for a time.
    pub grace: i64,
    /// How long a condition holds on.
    pub transition: Duration,
    /// Whose disk counts.
    pub root: PathBuf,
}

/// Looks for ever.
pub async fn run(settings: Settings, host: Arc<Host>, manager: Manager) {
    let machine = Machine::read(&settings.root);
    let mut remembered = Memory::default();
    let mut ballast = Ballast::new(&settings.root);
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let seen = usage::node(&settings.root, &machine);
        if let Some(disk) = seen.get(&Signal::NodeFs) {
            ballast.keep(disk.available);
        }
        if let Err(error) = round(&settings, &host, &manager, &seen, &mut remembered).await {
            tracing::warn!(%error, "no figures of pods; none is evicted");
        }
    }
}

async fn round(
    settings: &Settings,
    host: &Host,
    manager: &Manager,
    seen: &BTreeMap<Signal, Observation>,
    remembered: &mut Memory,
) -> Result<(), cri::Error> {
    let (due, conditions) = remembered.judge(&settings.thresholds, seen, Timestamp::now(), settings.transition);
    host.pressure.set(conditions);
    let pods = living(manager);
    let bounded: Vec<Arc<Pod>> = pods.iter().filter(|pod| limits::are_set(spec::of(pod))).cloned().collect();
    if due.is_empty() && bounded.is_empty() {
        return Ok(());
    }
    let measured = usage::pods(host, if due.is_empty() { bounded } else { pods }).await?;
    let broken: Vec<Eviction> = measured.iter().filter_map(limits::broken).collect();
    let gone: BTreeSet<&str> = broken.iter().map(|eviction| eviction.uid.as_str()).collect();
    broken.iter().for_each(|eviction| evict(host, manager, &measured, eviction));
    // One that goes anyway may be enough.
    if let Some(threshold) = due.first().filter(|_| gone.is_empty())
        && let Some(eviction) = plan::choose(threshold, seen, measured.clone(), settings.grace)
    {
        evict(host, manager, &measured, &eviction);
    }
    Ok(())
}

/// Those that run and are not going already.
fn living(manager: &Manager) -> Vec<Arc<Pod>> {
    let runs = |pod: &Pod| {
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
        !spec::is_terminal(phase) && !spec::is_deleted(pod)
    };
    let views = manager.views().into_iter().filter(|view| view.observed.is_running());
    views.map(|view| view.pod).filter(|pod| runs(pod)).collect()
}

fn evict(host: &Host, manager: &Manager, measured: &[PodUsage], eviction: &Eviction) {
    let Some(usage) = measured.iter().find(|usage| spec::uid(&usage.pod) == eviction.uid) else { return };
    if manager.evict(eviction) {
        tracing::warn!(pod = spec::full_name(&usage.pod), eviction.message, "evicted");
        host.cluster.event(&usage.pod, None, Severity::Warning, REASON, eviction.message.clone());
    }
}
