//! Replica sets: so many pods of a template, chosen by a selector of meta/v1.

use nakhoda_api::kinds::apps::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use nakhoda_api::kinds::core::PodTemplateSpec;

use crate::context::Context;
use crate::replicator::{self, Condition, Replicator, Status};
use crate::selector::{Labels, matches};

/// Starts the controller.
pub fn start(cx: &Context) {
    replicator::start::<ReplicaSet>(cx);
}

// === impl ReplicaSet ===

impl Replicator for ReplicaSet {
    const NAME: &'static str = "replicaset";
    const COMPONENT: &'static str = "replicaset-controller";

    fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    fn min_ready(&self) -> i32 {
        self.spec.min_ready_seconds.unwrap_or_default()
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.template.as_ref()
    }

    fn selects(&self, labels: Option<&Labels>) -> bool {
        matches(&self.spec.selector, labels)
    }

    fn status(&self) -> Status {
        let status = self.status.clone().unwrap_or_default();
        Status {
            replicas: status.replicas,
            fully_labeled: status.fully_labeled_replicas.unwrap_or_default(),
            ready: status.ready_replicas.unwrap_or_default(),
            available: status.available_replicas.unwrap_or_default(),
            terminating: Some(status.terminating_replicas.unwrap_or_default()),
            observed_generation: status.observed_generation,
            conditions: status.conditions.into_iter().flatten().map(from_condition).collect(),
        }
    }

    fn with_status(&self, status: Status) -> Self {
        let conditions: Vec<_> = status.conditions.into_iter().map(to_condition).collect();
        let status = ReplicaSetStatus {
            replicas: status.replicas,
            fully_labeled_replicas: Some(status.fully_labeled),
            ready_replicas: Some(status.ready),
            available_replicas: Some(status.available),
            terminating_replicas: status.terminating,
            observed_generation: status.observed_generation,
            conditions: (!conditions.is_empty()).then_some(conditions),
        };
        Self { status: Some(status), ..self.clone() }
    }
}

fn from_condition(condition: ReplicaSetCondition) -> Condition {
    Condition {
        type_: condition.type_.unwrap_or_default(),
        status: condition.status.unwrap_or_default(),
        reason: condition.reason,
        message: condition.message,
        since: condition.last_transition_time,
    }
}

fn to_condition(condition: Condition) -> ReplicaSetCondition {
    ReplicaSetCondition {
        type_: Some(condition.type_),
        status: Some(condition.status),
        reason: condition.reason,
        message: condition.message,
        last_transition_time: condition.since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_the_way_there_and_back() {
        let condition = Condition { type_: "Mine".into(), status: "True".into(), ..Condition::default() };
        let status =
            Status { replicas: 2, ready: 1, terminating: Some(1), conditions: vec![condition], ..Status::default() };
        assert_eq!(Replicator::status(&ReplicaSet::default().with_status(status.clone())), status);
    }
}
