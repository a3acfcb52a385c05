//! Keeps groups that pods belong to: one that is being deleted goes once all its pods have ended.

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::finalizers;
use crate::pods::is_finished;

const NAME: &str = "podgroupprotection";
const FINALIZER: &str = "scheduling.k8s.io/podgroup-protection";
const BY_GROUP: &str = "active in group";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (groups, pods) = (cx.informers.of::<PodGroup>(), cx.informers.of::<Pod>());
    pods.add_index(BY_GROUP, active_in);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&groups, |group: &PodGroup| if waits(group) { vec![Key::of(group)] } else { Vec::new() });
    watches.on_change(&pods, ended);
    watches.run(1, Protection { client: cx.client.clone(), groups, pods });
}

struct Protection {
    client: Client,
    groups: Informer<PodGroup>,
    pods: Informer<Pod>,
}

// === impl Protection ===

impl Reconcile for Protection {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(group) = self.groups.get(key).filter(|group| waits(group)) else { return Ok(Outcome::Done) };
        if self.pods.by_index(BY_GROUP, &key.to_string()).is_empty() {
            finalizers::remove(&self.client, &*group, FINALIZER).await?;
        }
        Ok(Outcome::Done)
    }
}

/// Whether a group would be gone but for this controller.
fn waits(group: &PodGroup) -> bool {
    group.is_terminating() && finalizers::has(group, FINALIZER)
}

/// The group that a pod belongs to.
fn group(pod: &Pod) -> Option<Key> {
    let name = pod.spec.as_ref()?.scheduling_group.as_ref()?.pod_group_name.as_deref()?;
    Some(Key::new(pod.namespace(), name))
}

fn active_in(pod: &Pod) -> Vec<String> {
    group(pod).filter(|_| !is_finished(pod)).map(|key| key.to_string()).into_iter().collect()
}

/// The group of a pod that has ended or is gone, or of one that another of its name has replaced.
fn ended(change: &Change<Pod>) -> Vec<Key> {
    let gone = match change {
        Change::Updated { old, new } if old.uid() != new.uid() => Some(old),
        Change::Added(pod) | Change::Updated { new: pod, .. } if is_finished(pod) => Some(pod),
        Change::Deleted(pod) => Some(pod),
        _ => None,
    };
    gone.and_then(|pod| group(pod)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn pod(uid: &str, phase: &str) -> Arc<Pod> {
        let value = json!({"metadata": {"name": "p", "namespace": "a", "uid": uid}, "status": {"phase": phase},
                           "spec": {"containers": [], "schedulingGroup": {"podGroupName": "g"}}});
        Arc::new(serde_json::from_value(value).expect("a pod"))
    }

    #[test]
    fn a_group_is_looked_at_when_one_of_its_pods_has_ended_or_is_gone() {
        let updated = |old, new| Change::Updated { old, new };
        for (change, wakes) in [
            (Change::Added(pod("1", "Running")), false),
            (Change::Added(pod("1", "Failed")), true),
            (updated(pod("1", "Running"), pod("1", "Running")), false),
            (updated(pod("1", "Running"), pod("1", "Succeeded")), true),
            (updated(pod("1", "Running"), pod("2", "Running")), true),
            (Change::Deleted(pod("1", "Running")), true),
        ] {
            assert_eq!(ended(&change), if wakes { vec![Key::new("a", "g")] } else { Vec::new() }, "{change:?}");
        }
        assert_eq!(active_in(&pod("1", "Pending")), ["a/g"]);
        assert!(active_in(&pod("1", "Succeeded")).is_empty());
    }
}
