//! Whether a rollout moves, has ended, or is stuck.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::apps::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSetCondition};
use nakhoda_api::kinds::meta::Time;

use super::SLACK;
use super::rollout::Rollout;
use super::status::{PROGRESSING, REPLICA_FAILURE, condition, find, is_complete, number, observe, remove, set};

/// All pods of the template are available.
pub const DONE: &str = "NewReplicaSetAvailable";
/// Something moved.
pub const MOVED: &str = "ReplicaSetUpdated";
/// Nothing moved for too long.
pub const TIMED_OUT: &str = "ProgressDeadlineExceeded";

/// Notes that the deployment was paused or resumed; whether that was news.
pub fn note_pause(deployment: &mut Deployment, now: Timestamp) -> bool {
    if deadline(deployment).is_none() {
        return false;
    }
    let paused = deployment.spec.paused == Some(true);
    let mut status = deployment.status.clone().unwrap_or_default();
    let reason = find(&status, PROGRESSING).and_then(|c| c.reason.clone()).unwrap_or_default();
    let (news, text) = match (paused, reason.as_str()) {
        (_, TIMED_OUT) | (true, "DeploymentPaused") => return false,
        (true, _) => ("DeploymentPaused", "Deployment is paused"),
        (false, "DeploymentPaused") => ("DeploymentResumed", "Deployment is resumed"),
        (false, _) => return false,
    };
    set(&mut status, condition(PROGRESSING, "Unknown", news, text, now));
    deployment.status = Some(status);
    true
}

/// The status of a rollout under way.
#[must_use]
pub fn judge(rollout: &Rollout, now: Timestamp) -> DeploymentStatus {
    let mut status = observe(rollout, now);
    let before = rollout.deployment.status.clone().unwrap_or_default();
    match deadline(&rollout.deployment) {
        None => remove(&mut status, PROGRESSING),
        Some(_) if status.replicas == status.updated_replicas && has_reason(&before, DONE) => {}
        Some(limit) => progress(rollout, &before, &mut status, limit, now),
    }
    match failure(rollout) {
        Some(failure) => set(&mut status, failure),
        None => remove(&mut status, REPLICA_FAILURE),
    }
    status
}

/// When to look again whether the deadline has passed.
#[must_use]
pub fn until_deadline(deployment: &Deployment, status: &DeploymentStatus, now: Timestamp) -> Option<Duration> {
    let limit = deadline(deployment)?;
    let current = find(status, PROGRESSING)?;
    if is_complete(deployment, status) || has_reason(status, TIMED_OUT) || deployment.spec.paused == Some(true) {
        return None;
    }
    let left = limit - now.duration_since(current.last_update_time.as_ref()?.0);
    Some(Duration::try_from(left).unwrap_or_default() + SLACK)
}

/// The deadline, if there is one.
#[must_use]
pub fn deadline(deployment: &Deployment) -> Option<SignedDuration> {
    let seconds = deployment.spec.progress_deadline_seconds.filter(|&s| s != i32::MAX)?;
    Some(SignedDuration::from_secs(seconds.into()))
}

fn progress(
    rollout: &Rollout,
    before: &DeploymentStatus,
    status: &mut DeploymentStatus,
    limit: SignedDuration,
    now: Timestamp,
) {
    let who = match &rollout.new {
        Some(new) => format!("ReplicaSet \"{}\"", new.metadata.name.as_deref().unwrap_or_default()),
        None => format!("Deployment \"{}\"", rollout.deployment.metadata.name.as_deref().unwrap_or_default()),
    };
    if is_complete(&rollout.deployment, status) {
        let message = format!("{who} has successfully progressed.");
        set(status, condition(PROGRESSING, "True", DONE, &message, now));
    } else if has_moved(before, status) {
        let mut moved = condition(PROGRESSING, "True", MOVED, &format!("{who} is progressing."), now);
        if let Some(current) = find(before, PROGRESSING).filter(|c| c.status.as_deref() == Some("True")) {
            moved.last_transition_time = current.last_transition_time.clone();
        }
        remove(status, PROGRESSING);
        set(status, moved);
    } else if is_late(status, limit, now) {
        let message = format!("{who} has timed out progressing.");
        set(status, condition(PROGRESSING, "False", TIMED_OUT, &message, now));
    }
}

/// Whether new pods came, old ones went, or pods became ready or available.
fn has_moved(before: &DeploymentStatus, after: &DeploymentStatus) -> bool {
    let old = |s: &DeploymentStatus| number(s.replicas) - number(s.updated_replicas);
    number(after.updated_replicas) > number(before.updated_replicas)
        || old(after) < old(before)
        || number(after.ready_replicas) > number(before.ready_replicas)
        || number(after.available_replicas) > number(before.available_replicas)
}

fn is_late(status: &DeploymentStatus, limit: SignedDuration, now: Timestamp) -> bool {
    let Some(current) = find(status, PROGRESSING) else { return false };
    match current.reason.as_deref() {
        Some(DONE) => false,
        Some(TIMED_OUT) => true,
        _ => current.last_update_time.as_ref().is_some_and(|t| now.duration_since(t.0) > limit),
    }
}

/// A set's failure to make pods is its deployment's; the new set's comes first.
fn failure(rollout: &Rollout) -> Option<DeploymentCondition> {
    let sets = rollout.new.iter().chain(&rollout.old);
    let mut conditions = sets.filter_map(|s| s.status.as_ref()).flat_map(|s| s.conditions.iter().flatten());
    conditions.find(|c| c.type_.as_deref() == Some(REPLICA_FAILURE)).map(from_set)
}

fn from_set(condition: &ReplicaSetCondition) -> DeploymentCondition {
    let condition = condition.clone();
    let since: Option<Time> = condition.last_transition_time;
    DeploymentCondition {
        type_: condition.type_,
        status: condition.status,
        reason: condition.reason,
        message: condition.message,
        last_update_time: since.clone(),
        last_transition_time: since,
    }
}

fn has_reason(status: &DeploymentStatus, reason: &str) -> bool {
    find(status, PROGRESSING).is_some_and(|c| c.reason.as_deref() == Some(reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::{deployment, set as replicas};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn reason(status: &DeploymentStatus) -> Option<&str> {
        find(status, PROGRESSING)?.reason.as_deref()
    }

    #[test]
    fn a_rollout_moves_then_sticks_then_ends() {
        let mut rollout = Rollout::new(deployment(2, "1", "0"), vec![replicas("new", 1, 2, 0)]);
        let moving = judge(&rollout, at(0));
        assert_eq!(reason(&moving), Some(MOVED));
        assert_eq!(until_deadline(&rollout.deployment, &moving, at(10)), Some(Duration::from_secs(591)));
        rollout.deployment.status = Some(moving);
        let stuck = judge(&rollout, at(601));
        assert_eq!(reason(&stuck), Some(TIMED_OUT));
        assert_eq!(until_deadline(&rollout.deployment, &stuck, at(602)), None);
        rollout.deployment.status = Some(stuck);
        rollout.new = Some(replicas("new", 1, 2, 2));
        let done = judge(&rollout, at(700));
        assert_eq!(reason(&done), Some(DONE));
        let message = find(&done, PROGRESSING).and_then(|c| c.message.clone());
        assert_eq!(message.as_deref(), Some("ReplicaSet \"web-new\" has successfully progressed."));
    }

    #[test]
    fn a_pause_stops_the_clock() {
        let mut deployment = deployment(1, "1", "0");
        deployment.spec.paused = Some(true);
        assert!(note_pause(&mut deployment, at(0)) && !note_pause(&mut deployment, at(1)));
        deployment.spec.paused = Some(false);
        assert!(note_pause(&mut deployment, at(2)) && !note_pause(&mut deployment, at(3)));
        assert_eq!(deployment.status.as_ref().and_then(reason), Some("DeploymentResumed"));
    }
}
