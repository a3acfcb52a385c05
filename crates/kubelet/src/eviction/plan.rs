//! Whom to end when the node is short of something: upstream's order and words. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container, Pod};
use nakhoda_api::quantity::{Format, Quantity};

use super::is_critical;
use super::threshold::{Observation, Signal, Threshold};
use crate::pod::admission::Claim;
use crate::pod::spec;
use crate::resources;

/// What one container uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerUsage {
    /// Its name.
    pub name: String,
    /// Bytes in use that the kernel cannot take back.
    pub memory: i64,
    /// Bytes of its layer and its logs.
    pub disk: i64,
}

/// What one pod uses.
#[derive(Clone, Debug, Default)]
pub struct PodUsage {
    /// Which pod.
    pub pod: Arc<Pod>,
    /// Each of its containers.
    pub containers: Vec<ContainerUsage>,
    /// Bytes of its volumes that lie on the node's disk, by name.
    pub volumes: BTreeMap<String, i64>,
    /// Bytes of the `/etc/hosts` of its containers, which they may write.
    pub hosts: i64,
}

/// A pod that is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Its uid.
    pub uid: String,
    /// Why, for its status.
    pub message: String,
    /// Seconds until the kill.
    pub grace: i64,
    /// Whether it is no fault of its own.
    pub is_disruption: bool,
}

/// What is remembered from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    first: BTreeMap<usize, Timestamp>,
    last: BTreeMap<&'static str, Timestamp>,
}

// === impl PodUsage ===

impl PodUsage {
    fn memory(&self) -> i64 {
        self.containers.iter().map(|c| c.memory).sum()
    }

    /// Bytes of the node's disk.
    #[must_use]
    pub fn disk(&self) -> i64 {
        self.containers.iter().map(|c| c.disk).sum::<i64>() + self.volumes.values().sum::<i64>() + self.hosts
    }

    fn used(&self, resource: &str) -> i64 {
        match resource {
            "memory" => self.memory(),
            "ephemeral-storage" => self.disk(),
            _ => 0,
        }
    }

    fn requested(&self, resource: &str) -> i64 {
        Claim::of(spec::of(&self.pod)).amounts.get(resource).copied().unwrap_or(0)
    }
}

// === impl Memory ===

impl Memory {
    /// The thresholds that have been passed for longer than they may, and the node's conditions, each of which
    /// holds on for a while.
    pub fn judge<'a>(
        &mut self,
        thresholds: &'a [Threshold],
        seen: &BTreeMap<Signal, Observation>,
        now: Timestamp,
        transition: Duration,
    ) -> (Vec<&'a Threshold>, BTreeSet<&'static str>) {
        let mut due = Vec::new();
        for (index, threshold) in thresholds.iter().enumerate() {
            if !seen.get(&threshold.signal).is_some_and(|seen| threshold.is_met(*seen)) {
                self.first.remove(&index);
                continue;
            }
            self.last.insert(threshold.signal.condition(), now);
            let since = *self.first.entry(index).or_insert(now);
            let grace = SignedDuration::try_from(threshold.grace.unwrap_or_default()).unwrap_or(SignedDuration::MAX);
            if now.duration_since(since) >= grace {
                due.push(threshold);
            }
        }
        let transition = SignedDuration::try_from(transition).unwrap_or(SignedDuration::MAX);
        self.last.retain(|_, last| now.duration_since(*last) < transition);
        // Memory goes before all else.
        due.sort_by_key(|threshold| threshold.signal != Signal::Memory);
        (due, self.last.keys().copied().collect())
    }
}

/// The first in order: who uses more than was requested, then who matters less, then who uses the most beyond it.
#[must_use]
pub fn choose(
    threshold: &Threshold,
    seen: &BTreeMap<Signal, Observation>,
    mut pods: Vec<PodUsage>,
    grace: i64,
) -> Option<Eviction> {
    let resource = threshold.signal.resource();
    pods.retain(|usage| !is_critical(&usage.pod));
    pods.sort_by_key(|usage| {
        let beyond = usage.used(resource) - usage.requested(resource);
        (beyond <= 0, spec::of(&usage.pod).priority.unwrap_or(0), Reverse(beyond))
    });
    let first = pods.first()?;
    Some(Eviction {
        uid: spec::uid(&first.pod).into(),
        message: message(threshold, seen.get(&threshold.signal).copied(), first),
        grace: if threshold.grace.is_some() { grace } else { 1 },
        is_disruption: true,
    })
}

fn message(threshold: &Threshold, seen: Option<Observation>, usage: &PodUsage) -> String {
    let resource = threshold.signal.resource();
    let mut text = format!("The node was low on resource: {resource}. ");
    if let Some(seen) = seen {
        let (least, left) = (threshold.quantity(seen.capacity), binary(seen.available));
        text.push_str(&format!("Threshold quantity: {least}, available: {left}. "));
    }
    for container in &usage.containers {
        let Some((_, own)) = spec::containers(spec::of(&usage.pod)).find(|(_, c)| c.name == container.name) else {
            continue;
        };
        let used = match resource {
            "memory" => container.memory,
            "ephemeral-storage" => container.disk,
            _ => continue,
        };
        let (asked, shown) = request(own, resource);
        if used > asked {
            let (name, used) = (&container.name, binary(used));
            text.push_str(&format!(
                "Container {name} was using {used}, request is {shown}, has larger consumption of {resource}. "
            ));
        }
    }
    text
}

fn request(container: &Container, resource: &str) -> (i64, String) {
    let requests = container.resources.as_ref().and_then(|r| r.requests.as_ref());
    let found = resources::of(requests, resource);
    found.map_or_else(|| (0, "0".into()), |quantity| (resources::whole(quantity), quantity.0.clone()))
}

fn binary(amount: i64) -> Quantity {
    Quantity::new(amount, Format::BinarySi)
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
