//! What was measured, and how it is weighed: which pods count, what they ask for, what share of it they use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::{Container, Pod};
use nakhoda_api::quantity::Quantity;
use nakhoda_client::Resource;

use crate::pods;

/// What one pod uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Thousandths.
    pub value: i64,
    /// When it was measured.
    pub at: Timestamp,
    /// Over which time until then.
    pub window: SignedDuration,
}

/// By the names of pods.
pub type Samples = BTreeMap<String, Sample>;

/// How long young pods are not believed.
#[derive(Clone, Copy, Debug)]
pub struct Periods {
    /// After its start a pod's processor time counts only while it is ready.
    pub cpu_initialization: SignedDuration,
    /// A pod that turned unready within this time of its start was never ready.
    pub initial_readiness: SignedDuration,
}

/// The pods of a target by what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// How many count as they are.
    pub ready: usize,
    /// Those that are not ready yet.
    pub unready: BTreeSet<String>,
    /// Those without a sample.
    pub missing: BTreeSet<String>,
    /// Those that go or have failed.
    pub ignored: BTreeSet<String>,
}

/// Puts pods into groups; readiness counts only for processor time.
#[must_use]
pub fn group(all: &[Arc<Pod>], samples: &Samples, resource: &str, periods: Periods, now: Timestamp) -> Groups {
    let mut groups = Groups::default();
    for pod in all {
        let name = pod.name().to_owned();
        let phase = pods::phase(pod);
        if pod.is_terminating() || phase == "Failed" {
            groups.ignored.insert(name);
        } else if phase == "Pending" {
            groups.unready.insert(name);
        } else if let Some(sample) = samples.get(&name) {
            if resource == "cpu" && is_unready(pod, sample, periods, now) {
                groups.unready.insert(name);
            } else {
                groups.ready += 1;
            }
        } else {
            groups.missing.insert(name);
        }
    }
    groups
}

fn is_unready(pod: &Pod, sample: &Sample, periods: Periods, now: Timestamp) -> bool {
    let started = pod.status.as_ref().and_then(|status| status.start_time.as_ref());
    let (Some(ready), Some(started)) = (pods::condition(pod, "Ready"), started) else { return true };
    let turned = ready.last_transition_time.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    let unready = ready.status == "False";
    if started.0 + periods.cpu_initialization > now {
        // a sample that reaches back behind the change tells of another state
        unready || sample.at < turned + sample.window
    } else {
        unready && started.0 + periods.initial_readiness > turned
    }
}

/// What the pods ask for, in thousandths; of one container where one is named.
pub fn requests(all: &[Arc<Pod>], container: &str, resource: &str) -> Result<BTreeMap<String, i64>, String> {
    all.iter().map(|pod| Ok((pod.name().to_owned(), request(pod, container, resource)?))).collect()
}

fn request(pod: &Pod, container: &str, resource: &str) -> Result<i64, String> {
    let Some(spec) = &pod.spec else { return Ok(0) };
    let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
    let mut containers = spec.containers.iter().chain(sidecars);
    let own = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    if !container.is_empty() {
        let found = containers.find(|one| one.name == container);
        let found = found.ok_or_else(|| format!("container {container} not found in Pod {}", pod.name()))?;
        of_container(found, resource).ok_or_else(|| missing(pod, found, resource))
    } else if let Some(own) = own.filter(|requests| !requests.is_empty()) {
        let of_all: Vec<i64> = containers.filter_map(|one| of_container(one, resource)).collect();
        let sum = (!of_all.is_empty()).then(|| of_all.iter().sum());
        let amount = own.get(resource).map(|amount| milli(&amount.0)).or(sum);
        amount.ok_or_else(|| format!("missing pod-level request for {resource} in Pod {}", pod.name()))
    } else {
        containers.map(|one| of_container(one, resource).ok_or_else(|| missing(pod, one, resource))).sum()
    }
}

fn of_container(container: &Container, resource: &str) -> Option<i64> {
    container.resources.as_ref()?.requests.as_ref()?.get(resource).map(|amount| milli(&amount.0))
}

fn missing(pod: &Pod, container: &Container, resource: &str) -> String {
    format!("missing request for {resource} in container {} of Pod {}", container.name, pod.name())
}

/// Thousandths of a quantity; what cannot be read was refused by the API server.
#[must_use]
pub fn milli(text: &str) -> i64 {
    Quantity::parse(text).unwrap_or_default().milli()
}
