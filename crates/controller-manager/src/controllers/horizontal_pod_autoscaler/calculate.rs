//! How many replicas bring what was measured to its target (`pkg/controller/podautoscaler/replica_calculator.go`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::core::Pod;

use super::sample::{self, Groups, Periods, Sample, Samples};
use crate::pods;

/// How far from its target a metric may be before something is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Below it.
    pub down: f64,
    /// Above it.
    pub up: f64,
}

/// What all calculations look at.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// How many replicas are asked for now.
    pub current: i32,
    /// How many there are, by the target's own count.
    pub observed: i32,
    /// The pods of the target.
    pub pods: &'a [Arc<Pod>],
    /// What is near enough.
    pub tolerance: Tolerance,
    /// What of young pods is believed.
    pub periods: Periods,
    /// The clock.
    pub now: Timestamp,
}

/// How many replicas there should be, by one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// So many.
    pub replicas: i32,
    /// Hundredths of what is asked for, if that is what is aimed at.
    pub utilization: Option<i32>,
    /// What is used, in thousandths: on the average, or in all.
    pub usage: i64,
}

/// Samples over their target.
struct Share {
    ratio: f64,
    utilization: Option<i32>,
    average: i64,
}

const NO_PODS: &str = "no pods returned by selector while calculating replica count";

// === impl Tolerance ===

impl Tolerance {
    fn holds(self, ratio: f64) -> bool {
        (1.0 - self.down..=1.0 + self.up).contains(&ratio)
    }
}

/// By the share that pods use of what they ask for, of one resource, perhaps of one container only.
pub fn utilization(
    scene: &Scene<'_>,
    samples: Samples,
    (resource, container): (&str, &str),
    target: i32,
) -> Result<Proposal, String> {
    let (groups, samples) = sorted(scene, samples, resource)?;
    let requests = sample::requests(scene.pods, container, resource)?;
    let fallback = i64::from(target.max(100));
    let missing = |pod: &str| requests.get(pod).copied().unwrap_or_default() * fallback / 100;
    settle(scene, &groups, samples, missing, |samples| share_of_requests(samples, &requests, target))
}

/// By what pods use on the average. Only processor time looks at readiness.
pub fn average(scene: &Scene<'_>, samples: Samples, resource: &str, target: i64) -> Result<Proposal, String> {
    let (groups, samples) = sorted(scene, samples, resource)?;
    settle(scene, &groups, samples, |_| target, |samples| Ok(share_of_target(samples, target)))
}

/// By one value for all replicas together: as many as bring it to the target.
pub fn value(scene: &Scene<'_>, usage: i64, target: i64) -> Result<Proposal, String> {
    let ratio = float(usage) / float(target);
    let replicas = if scene.current == 0 {
        whole(ratio)
    } else if scene.tolerance.holds(ratio) {
        scene.current
    } else {
        let ready = ready(scene.pods).map_err(|why| format!("unable to calculate ready pods: {why}"))?;
        whole(ratio * float(ready))
    };
    Ok(Proposal { replicas, utilization: None, usage })
}

/// By one value that is shared among replicas: so many that each has its target.
#[must_use]
pub fn value_per_replica(scene: &Scene<'_>, usage: i64, target: i64) -> Proposal {
    let observed = f64::from(scene.observed);
    let ratio = float(usage) / (float(target) * observed);
    let replicas = if scene.tolerance.holds(ratio) { scene.observed } else { whole(float(usage) / float(target)) };
    let each = float(usage) / observed;
    // nobody to share among: upstream's quotient is infinite, and ends as the largest number
    Proposal { replicas, utilization: None, usage: each.ceil() as i64 }
}

fn ready(all: &[Arc<Pod>]) -> Result<i64, String> {
    if all.is_empty() {
        return Err(NO_PODS.into());
    }
    let ready = all.iter().filter(|pod| pods::phase(pod) == "Running" && pods::is_ready(pod)).count();
    Ok(i64::try_from(ready).unwrap_or(i64::MAX))
}

/// The groups of pods, and the samples of those that count.
fn sorted(scene: &Scene<'_>, mut samples: Samples, resource: &str) -> Result<(Groups, Samples), String> {
    if scene.pods.is_empty() {
        return Err(NO_PODS.into());
    }
    let groups = sample::group(scene.pods, &samples, resource, scene.periods, scene.now);
    samples.retain(|pod, _| !groups.ignored.contains(pod) && !groups.unready.contains(pod));
    if samples.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".into());
    }
    Ok((groups, samples))
}

/// Counts first those that are known; what is not known is then assumed to be against a change of this direction.
fn settle(
    scene: &Scene<'_>,
    groups: &Groups,
    mut samples: Samples,
    missing: impl Fn(&str) -> i64,
    share: impl Fn(&Samples) -> Result<Share, String>,
) -> Result<Proposal, String> {
    let first = share(&samples)?;
    let propose = |replicas| Proposal { replicas, utilization: first.utilization, usage: first.average };
    let stay = propose(scene.current);
    let unready_wait = !groups.unready.is_empty() && first.ratio > 1.0;
    if !unready_wait && groups.missing.is_empty() {
        let near = scene.tolerance.holds(first.ratio);
        return Ok(if near { stay } else { propose(whole(first.ratio * count(groups.ready))) });
    }
    let assume = |value| Sample { value, at: scene.now, window: jiff::SignedDuration::ZERO };
    for pod in &groups.missing {
        if first.ratio < 1.0 {
            samples.insert(pod.clone(), assume(missing(pod)));
        } else if first.ratio > 1.0 {
            samples.insert(pod.clone(), assume(0));
        }
    }
    if unready_wait {
        samples.extend(groups.unready.iter().map(|pod| (pod.clone(), assume(0))));
    }
    let second = share(&samples)?.ratio;
    let turned = (first.ratio < 1.0 && second > 1.0) || (first.ratio > 1.0 && second < 1.0);
    if scene.tolerance.holds(second) || turned {
        return Ok(stay);
    }
    let replicas = whole(second * count(samples.len()));
    let against = (second < 1.0 && replicas > scene.current) || (second > 1.0 && replicas < scene.current);
    Ok(if against { stay } else { propose(replicas) })
}

fn share_of_requests(samples: &Samples, requests: &BTreeMap<String, i64>, target: i32) -> Result<Share, String> {
    let known = samples.iter().filter_map(|(pod, sample)| Some((sample.value, *requests.get(pod)?)));
    let (mut used, mut asked, mut entries) = (0_i64, 0_i64, 0_i64);
    for (value, request) in known {
        (used, asked, entries) = (used.saturating_add(value), asked.saturating_add(request), entries + 1);
    }
    if asked == 0 {
        return Err("no metrics returned matched known pods".into());
    }
    let utilization = i32::try_from(used.saturating_mul(100) / asked).unwrap_or(i32::MAX);
    Ok(Share {
        ratio: f64::from(utilization) / f64::from(target),
        utilization: Some(utilization),
        average: used / entries,
    })
}

fn share_of_target(samples: &Samples, target: i64) -> Share {
    let sum: i64 = samples.values().map(|sample| sample.value).fold(0, i64::saturating_add);
    let average = sum / i64::try_from(samples.len().max(1)).unwrap_or(i64::MAX);
    Share { ratio: float(average) / float(target), utilization: None, average }
}

/// The next whole number, as far as there are any.
fn whole(number: f64) -> i32 {
    number.ceil() as i32
}

fn float(number: i64) -> f64 {
    number as f64
}

fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
