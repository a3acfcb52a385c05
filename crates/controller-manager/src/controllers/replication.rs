//! Replication controllers: so many pods of a template, chosen by plain labels.

use nakhoda_api::kinds::core::{
    PodTemplateSpec, ReplicationController, ReplicationControllerCondition, ReplicationControllerStatus,
};

use crate::context::Context;
use crate::replicator::{self, Condition, Replicator, Status};
use crate::selector::{Labels, matches_all};

/// Starts the controller.
pub fn start(cx: &Context) {
    replicator::start::<ReplicationController>(cx);
}

// === impl ReplicationController ===

impl Replicator for ReplicationController {
    const NAME: &'static str = "replicationcontroller";
    const COMPONENT: &'static str = "replication-controller";

    fn replicas(&self) -> i32 {
        self.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1)
    }

    fn min_ready(&self) -> i32 {
        self.spec.as_ref().and_then(|s| s.min_ready_seconds).unwrap_or_default()
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        self.spec.as_ref()?.template.as_ref()
    }

    fn selects(&self, labels: Option<&Labels>) -> bool {
        let selector = self.spec.as_ref().and_then(|s| s.selector.as_ref());
        selector.is_some_and(|s| !s.is_empty() && matches_all(Some(s), labels))
    }

    fn status(&self) -> Status {
        let status = self.status.clone().unwrap_or_default();
        Status {
            replicas: status.replicas,
            fully_labeled: status.fully_labeled_replicas.unwrap_or_default(),
            ready: status.ready_replicas.unwrap_or_default(),
            available: status.available_replicas.unwrap_or_default(),
            terminating: None,
            observed_generation: status.observed_generation,
            conditions: status.conditions.into_iter().flatten().map(from_condition).collect(),
        }
    }

    fn with_status(&self, status: Status) -> Self {
        let conditions: Vec<_> = status.conditions.into_iter().map(to_condition).collect();
        let status = ReplicationControllerStatus {
            replicas: status.replicas,
            fully_labeled_replicas: Some(status.fully_labeled),
            ready_replicas: Some(status.ready),
            available_replicas: Some(status.available),
            observed_generation: status.observed_generation,
            conditions: (!conditions.is_empty()).then_some(conditions),
        };
        Self { status: Some(status), ..self.clone() }
    }
}

fn from_condition(condition: ReplicationControllerCondition) -> Condition {
    Condition {
        type_: condition.type_,
        status: condition.status,
        reason: condition.reason,
        message: condition.message,
        since: condition.last_transition_time,
    }
}

fn to_condition(condition: Condition) -> ReplicationControllerCondition {
    ReplicationControllerCondition {
        type_: condition.type_,
        status: condition.status,
        reason: condition.reason,
        message: condition.message,
        last_transition_time: condition.since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::core::ReplicationControllerSpec;

    #[test]
    fn an_empty_selector_selects_nothing() {
        let labels: Labels = [("app".to_owned(), "web".to_owned())].into();
        let with = |selector| ReplicationController {
            spec: Some(ReplicationControllerSpec { selector, ..ReplicationControllerSpec::default() }),
            ..ReplicationController::default()
        };
        assert!(!with(None).selects(Some(&labels)) && !with(Some(Labels::new())).selects(Some(&labels)));
        assert!(with(Some(labels.clone())).selects(Some(&labels)));
    }
}
