//! The status that a number of pods gives their workload.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::Error;

use super::Replicator;
use crate::pods::{is_available, is_ready};
use crate::selector::matches_all;

/// The condition that says that pods cannot be made or deleted.
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// What both kinds tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// Pods there are.
    pub replicas: i32,
    /// Pods with all labels of the template.
    pub fully_labeled: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Pods that have been ready long enough.
    pub available: i32,
    /// Pods that are going; only replica sets tell it.
    pub terminating: Option<i32>,
    /// The generation this is about.
    pub observed_generation: Option<i64>,
    /// Conditions, foreign ones included.
    pub conditions: Vec<Condition>,
}

/// One condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// Its type.
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// One word.
    pub reason: Option<String>,
    /// A sentence.
    pub message: Option<String>,
    /// Since when.
    pub since: Option<Time>,
}

/// The status of a workload with these pods.
pub fn observe<K: Replicator>(
    set: &K,
    active: &[Arc<Pod>],
    terminating: usize,
    failure: Option<&Error>,
    now: Timestamp,
) -> Status {
    let before = set.status();
    let template = set.template().and_then(|t| t.metadata.as_ref()).and_then(|m| m.labels.as_ref());
    let count = |which: &dyn Fn(&Pod) -> bool| number(active.iter().filter(|p| which(p)).count());
    Status {
        replicas: number(active.len()),
        fully_labeled: count(&|p| matches_all(template, p.metadata.labels.as_ref())),
        ready: count(&is_ready),
        available: count(&|p| is_available(p, set.min_ready(), now)),
        terminating: before.terminating.map(|_| number(terminating)),
        observed_generation: set.metadata().generation,
        conditions: conditions(before.conditions, failure, active.len() < size(set.replicas()), now),
    }
}

fn conditions(before: Vec<Condition>, failure: Option<&Error>, creating: bool, now: Timestamp) -> Vec<Condition> {
    let has = before.iter().any(|c| c.type_ == REPLICA_FAILURE);
    match failure {
        None => before.into_iter().filter(|c| c.type_ != REPLICA_FAILURE).collect(),
        Some(_) if has => before,
        Some(error) => {
            let reason = if creating { "FailedCreate" } else { "FailedDelete" };
            let condition = Condition {
                type_: REPLICA_FAILURE.into(),
                status: "True".into(),
                reason: Some(reason.into()),
                message: Some(error.to_string()),
                since: Some(Time(now)),
            };
            before.into_iter().chain([condition]).collect()
        }
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn size(count: i32) -> usize {
    usize::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::apps::{ReplicaSet, ReplicaSetSpec};
    use nakhoda_api::kinds::core::{PodCondition, PodStatus};
    use nakhoda_api::{Reason, Status as ApiStatus};

    fn ready_pod() -> Arc<Pod> {
        let ready = PodCondition { type_: "Ready".into(), status: "True".into(), ..PodCondition::default() };
        let status = PodStatus { conditions: Some(vec![ready]), ..PodStatus::default() };
        Arc::new(Pod { status: Some(status), ..Pod::default() })
    }

    fn set(replicas: i32) -> ReplicaSet {
        let spec = ReplicaSetSpec { replicas: Some(replicas), ..ReplicaSetSpec::default() };
        ReplicaSet { spec, ..ReplicaSet::default() }
    }

    #[test]
    fn a_failure_becomes_a_condition_and_goes_with_its_cause() {
        let now = Timestamp::UNIX_EPOCH;
        let error = Error::from(ApiStatus::failure(403, Reason::Forbidden, "no"));
        let failed = observe(&set(2), &[ready_pod()], 0, Some(&error), now);
        assert_eq!((failed.replicas, failed.ready, failed.available), (1, 1, 1));
        assert_eq!(failed.conditions[0].reason.as_deref(), Some("FailedCreate"));
        let set = set(2).with_status(failed);
        let later = observe(&set, &[], 0, Some(&error), Timestamp::MAX);
        assert_eq!(later.conditions[0].since, Some(Time(now)));
        assert!(observe(&set, &[], 0, None, now).conditions.is_empty());
    }
}
