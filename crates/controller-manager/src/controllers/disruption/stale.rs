//! Takes back the DisruptionTarget condition of pods that were to go and, two minutes later, are not
//! going.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::{Pod, PodCondition};
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::pods::{condition, is_finished};

const NAME: &str = "stale_pod_disruption";
const TARGET: &str = "DisruptionTarget";
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);

/// Starts the controller.
pub fn start(cx: &Context, pods: Informer<Pod>) {
    let mut watches = Watches::new(cx, NAME);
    watches.on(&pods, |pod: &Pod| {
        if until_stale(pod, Timestamp::UNIX_EPOCH).is_some() { vec![Key::of(pod)] } else { Vec::new() }
    });
    watches.run(1, Stale { client: cx.client.clone(), pods });
}

struct Stale {
    client: Client,
    pods: Informer<Pod>,
}

// === impl Stale ===

impl Reconcile for Stale {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(pod) = self.pods.get(key) else { return Ok(Outcome::Done) };
        let now = crate::clock::now();
        let Some(wait) = until_stale(&pod, now) else { return Ok(Outcome::Done) };
        if wait.is_positive() {
            return Ok(Outcome::After(Duration::try_from(wait).unwrap_or_default()));
        }
        match self.client.namespaced::<Pod>(pod.namespace()).update_status(&reset(&pod, now)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

/// How long the condition may still stand; nothing if it stands rightly, or not at all.
fn until_stale(pod: &Pod, now: Timestamp) -> Option<SignedDuration> {
    let target = condition(pod, TARGET).filter(|c| c.status == "True")?;
    if pod.is_terminating() || is_finished(pod) || target.reason.as_deref() == Some("TerminationByKubelet") {
        return None;
    }
    let since = target.last_transition_time.as_ref().map_or(now, |t| t.0);
    Some((PATIENCE - now.duration_since(since)).max(SignedDuration::ZERO))
}

fn reset(pod: &Pod, now: Timestamp) -> Pod {
    let mut pod = pod.clone();
    let conditions = pod.status.iter_mut().flat_map(|s| s.conditions.iter_mut().flatten());
    for target in conditions.filter(|c| c.type_ == TARGET) {
        *target = PodCondition {
            type_: TARGET.into(),
            status: "False".into(),
            last_transition_time: Some(Time(now)),
            observed_generation: target.observed_generation,
            ..PodCondition::default()
        };
    }
    pod
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures;

    #[test]
    fn a_condition_is_stale_after_two_minutes_unless_the_pod_goes() {
        let start = Timestamp::UNIX_EPOCH;
        let mut pod = fixtures::pod("a", "10.0.0.1", true);
        assert_eq!(until_stale(&pod, start), None);
        let target = PodCondition {
            type_: TARGET.into(),
            status: "True".into(),
            last_transition_time: Some(Time(start)),
            ..PodCondition::default()
        };
        pod.status.as_mut().expect("set").conditions = Some(vec![target]);
        assert_eq!(until_stale(&pod, start + SignedDuration::from_secs(30)), Some(SignedDuration::from_secs(90)));
        assert_eq!(until_stale(&pod, start + PATIENCE), Some(SignedDuration::ZERO));
        assert_eq!(until_stale(&reset(&pod, start), start), None);
        pod.metadata.deletion_timestamp = Some(Time(start));
        assert_eq!(until_stale(&pod, start + PATIENCE), None);
    }
}
