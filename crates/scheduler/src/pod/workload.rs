//! Which workload a pod belongs to: its topmost owner, by name, so that pods of one rollout and the next, and of one run
//! and the next, are of one workload. Pure: what owns the owner is read off the names that controllers give.

use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;

/// What the Deployment controller puts on pods, and at the end of the names of its ReplicaSets.
const HASH: &str = "pod-template-hash";

/// `namespace/Kind/name`; a pod without an owner is a workload of its own.
#[must_use]
pub fn of(pod: &Pod) -> String {
    let namespace = pod.namespace();
    let Some(owner) = pod.controller() else { return format!("{namespace}/Pod/{}", pod.name()) };
    let (kind, name) = match owner.kind.as_str() {
        "ReplicaSet" => deployment(pod, &owner.name).map_or(("ReplicaSet", owner.name.as_str()), |d| ("Deployment", d)),
        "Job" => cron_job(&owner.name).map_or(("Job", owner.name.as_str()), |name| ("CronJob", name)),
        kind => (kind, owner.name.as_str()),
    };
    format!("{namespace}/{kind}/{name}")
}

fn deployment<'a>(pod: &Pod, replica_set: &'a str) -> Option<&'a str> {
    let hash = pod.metadata.labels.as_ref()?.get(HASH)?;
    replica_set.strip_suffix(hash.as_str())?.strip_suffix('-')
}

/// A CronJob's Jobs end with the minute for which they were made.
fn cron_job(job: &str) -> Option<&str> {
    let (name, minute) = job.rsplit_once('-')?;
    (minute.len() >= 8 && minute.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::pod;

    #[test]
    fn a_workload_is_named_by_its_topmost_owner() {
        let owned = |kind: &str, name: &str| pod("p").label(HASH, "abc12").made_by(kind, name).build();
        for (object, wanted) in [
            (pod("p").build(), "default/Pod/p"),
            (owned("ReplicaSet", "web-abc12"), "default/Deployment/web"),
            (owned("ReplicaSet", "web"), "default/ReplicaSet/web"),
            (owned("Job", "nightly-29400000"), "default/CronJob/nightly"),
            (owned("Job", "step-2"), "default/Job/step-2"),
            (owned("StatefulSet", "db"), "default/StatefulSet/db"),
        ] {
            assert_eq!(of(&object), wanted);
        }
    }
}
