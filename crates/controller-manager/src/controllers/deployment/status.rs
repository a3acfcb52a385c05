//! The status that replica sets give their deployment.

use jiff::Timestamp;
use nakhoda_api::kinds::apps::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSetStatus};
use nakhoda_api::kinds::meta::Time;

use super::rollout::{Rollout, desired, max_unavailable, size};

/// The condition about the way to the template.
pub const PROGRESSING: &str = "Progressing";
/// The condition about enough pods.
pub const AVAILABLE: &str = "Available";
/// The condition about pods that cannot be made.
pub const REPLICA_FAILURE: &str = "ReplicaFailure";

/// Counts, and whether enough pods are available.
#[must_use]
pub fn observe(rollout: &Rollout, now: Timestamp) -> DeploymentStatus {
    let sum = |of: fn(&ReplicaSetStatus) -> i32| rollout.all().filter_map(|s| s.status.as_ref()).map(of).sum::<i32>();
    let available = sum(|s| s.available_replicas.unwrap_or_default());
    let wanted: i32 = rollout.all().map(|s| size(s)).sum();
    let before = rollout.deployment.status.clone().unwrap_or_default();
    let mut status = DeploymentStatus {
        observed_generation: rollout.deployment.metadata.generation,
        replicas: count(sum(|s| s.replicas)),
        updated_replicas: count(rollout.new.as_ref().and_then(|s| s.status.as_ref()).map_or(0, |s| s.replicas)),
        ready_replicas: count(sum(|s| s.ready_replicas.unwrap_or_default())),
        available_replicas: count(available),
        unavailable_replicas: count((wanted - available).max(0)),
        terminating_replicas: Some(sum(|s| s.terminating_replicas.unwrap_or_default())),
        collision_count: before.collision_count,
        conditions: before.conditions,
    };
    let enough = available >= rollout.desired() - max_unavailable(&rollout.deployment);
    let condition = if enough {
        condition(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    } else {
        let message = "Deployment does not have minimum availability.";
        condition(AVAILABLE, "False", "MinimumReplicasUnavailable", message, now)
    };
    set(&mut status, condition);
    status
}

/// Whether all wanted pods are there, of the template, available, and no others.
#[must_use]
pub fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let desired = desired(deployment);
    number(status.updated_replicas) == desired
        && number(status.replicas) == desired
        && number(status.available_replicas) == desired
        && status.observed_generation >= deployment.metadata.generation
}

/// A condition that holds from now on.
#[must_use]
pub fn condition(type_: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> DeploymentCondition {
    DeploymentCondition {
        type_: Some(type_.into()),
        status: Some(status.into()),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_update_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

/// The condition of a type.
#[must_use]
pub fn find<'a>(status: &'a DeploymentStatus, type_: &str) -> Option<&'a DeploymentCondition> {
    status.conditions.iter().flatten().find(|c| c.type_.as_deref() == Some(type_))
}

/// Sets a condition, unless one of the same status and reason is there.
pub fn set(status: &mut DeploymentStatus, mut condition: DeploymentCondition) {
    let type_ = condition.type_.clone().unwrap_or_default();
    if let Some(before) = find(status, &type_) {
        if before.status == condition.status && before.reason == condition.reason {
            return;
        }
        if before.status == condition.status {
            condition.last_transition_time = before.last_transition_time.clone();
        }
    }
    remove(status, &type_);
    status.conditions.get_or_insert_default().push(condition);
}

/// Removes the condition of a type.
pub fn remove(status: &mut DeploymentStatus, type_: &str) {
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|c| c.type_.as_deref() != Some(type_));
    }
}

/// A count as Go writes it: none is absent.
fn count(number: i32) -> Option<i32> {
    (number != 0).then_some(number)
}

/// A count that may be absent.
#[must_use]
pub fn number(count: Option<i32>) -> i32 {
    count.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::{deployment, set as replicas};

    #[test]
    fn foreign_conditions_stay_and_times_move_only_with_the_status() {
        let early = Timestamp::UNIX_EPOCH;
        let mut rollout = Rollout::new(deployment(2, "1", "0"), vec![replicas("new", 1, 2, 1)]);
        let mine = condition("Mine", "True", "Because", "", early);
        rollout.deployment.status =
            Some(DeploymentStatus { conditions: Some(vec![mine.clone()]), ..DeploymentStatus::default() });
        let status = observe(&rollout, early);
        assert_eq!(find(&status, "Mine"), Some(&mine));
        assert_eq!(find(&status, AVAILABLE).and_then(|c| c.status.as_deref()), Some("False"));
        assert_eq!((status.unavailable_replicas, status.updated_replicas), (Some(1), Some(2)));
        rollout.deployment.status = Some(status.clone());
        assert_eq!(observe(&rollout, Timestamp::MAX), status, "nothing changed, so nothing is written");
    }
}
