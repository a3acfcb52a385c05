//! The replica set of a template: its name, its labels, its annotations; and which old ones may go.

use std::sync::Arc;

use nakhoda_api::kinds::apps::{Deployment, ReplicaSet, ReplicaSetSpec};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::{Resource, owner};

use super::most;
use crate::controllers::deployment::rollout::{DESIRED, MAX, Rollout, desired, size};
use crate::hash;
use crate::revision::{self, Annotations, HISTORY, REVISION, TEMPLATE_HASH};

/// Annotations that belong to the deployment alone.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

/// The longest name of an object.
const NAME_LENGTH: usize = 253;

/// The revision that the new set has or gets.
#[must_use]
pub fn next_revision(rollout: &Rollout) -> i64 {
    rollout.old.iter().map(|s| revision::of(s.metadata.annotations.as_ref())).max().unwrap_or_default() + 1
}

/// The set of a deployment's template.
#[must_use]
pub fn build(deployment: &Deployment, replicas: i32, revision: i64) -> ReplicaSet {
    let collisions = deployment.status.as_ref().and_then(|s| s.collision_count);
    let hash = hash::of(&deployment.spec.template, collisions);
    let mut template = deployment.spec.template.clone();
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    labels.insert(TEMPLATE_HASH.into(), hash.clone());
    let labels = Some(labels.clone());
    let mut selector = deployment.spec.selector.clone();
    selector.match_labels.get_or_insert_default().insert(TEMPLATE_HASH.into(), hash.clone());
    let mut annotations = Annotations::new();
    annotate(deployment, &mut annotations, revision);
    mark(&mut annotations, (desired(deployment), most(deployment)));
    let metadata = ObjectMeta {
        name: Some(name(deployment.name(), &hash)),
        namespace: deployment.metadata.namespace.clone(),
        labels,
        annotations: Some(annotations),
        owner_references: Some(vec![owner(deployment)]),
        ..ObjectMeta::default()
    };
    let spec = ReplicaSetSpec {
        replicas: Some(replicas),
        min_ready_seconds: deployment.spec.min_ready_seconds,
        selector,
        template: Some(template),
    };
    ReplicaSet { metadata, spec, status: None }
}

/// Copies the deployment's annotations and raises the revision; whether anything changed.
pub fn annotate(deployment: &Deployment, annotations: &mut Annotations, revision: i64) -> bool {
    let mut changed = false;
    for (key, value) in deployment.metadata.annotations.iter().flatten() {
        if !NOT_COPIED.contains(&key.as_str()) && annotations.get(key) != Some(value) {
            annotations.insert(key.clone(), value.clone());
            changed = true;
        }
    }
    revision::raise(annotations, revision) || changed
}

/// Writes how many pods are wanted and possible on a set; whether anything changed.
pub fn mark(annotations: &mut Annotations, (desired, most): (i32, i32)) -> bool {
    let before = annotations.insert(DESIRED.into(), desired.to_string());
    let changed = before != Some(desired.to_string());
    annotations.insert(MAX.into(), most.to_string()) != Some(most.to_string()) || changed
}

/// The oldest sets beyond the limit of the history, as far as they are empty and settled.
#[must_use]
pub fn surplus_history(rollout: &Rollout) -> Vec<Arc<ReplicaSet>> {
    let limit = rollout.deployment.spec.revision_history_limit.filter(|&l| l != i32::MAX);
    let Some(limit) = limit.and_then(|l| usize::try_from(l).ok()) else { return Vec::new() };
    let mut alive: Vec<_> = rollout.old.iter().filter(|s| !s.is_terminating()).cloned().collect();
    let surplus = alive.len().saturating_sub(limit);
    alive.sort_by_key(|s| revision::of(s.metadata.annotations.as_ref()));
    alive.truncate(surplus);
    alive.retain(|s| size(s) == 0 && is_settled(s));
    alive
}

fn is_settled(set: &ReplicaSet) -> bool {
    let status = set.status.clone().unwrap_or_default();
    status.replicas == 0 && status.observed_generation >= set.metadata.generation
}

fn name(deployment: &str, hash: &str) -> String {
    let length = deployment.len().min(NAME_LENGTH - 1 - hash.len());
    format!("{}-{hash}", &deployment[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::{deployment, set};

    #[test]
    fn the_set_is_named_labelled_and_annotated_after_its_template() {
        let mut deployment = deployment(3, "1", "0");
        deployment.metadata.annotations = Some(Annotations::from([
            ("team".to_owned(), "a".to_owned()),
            (REVISION.to_owned(), "7".to_owned()),
        ]));
        let set = build(&deployment, 2, 8);
        let hash = set.metadata.labels.as_ref().expect("labelled")[TEMPLATE_HASH].clone();
        assert_eq!(set.name(), format!("web-{hash}"));
        assert_eq!(set.spec.selector.match_labels.as_ref().expect("selecting")[TEMPLATE_HASH], hash);
        let annotations = set.metadata.annotations.as_ref().expect("annotated");
        let read = |key: &str| annotations.get(key).map(String::as_str);
        assert_eq!((read("team"), read(REVISION)), (Some("a"), Some("8")));
        assert_eq!((read(DESIRED), read(MAX)), (Some("3"), Some("4")));
        assert_eq!(build(&deployment, 2, 8), set, "the same template gives the same set");
    }

    #[test]
    fn history_beyond_the_limit_goes_oldest_first_and_only_when_empty() {
        let revised = |version: &str, revision: i64, replicas: i32| {
            let mut set = (*set(version, revision, replicas, 0)).clone();
            set.metadata.annotations = Some([(REVISION.to_owned(), revision.to_string())].into());
            Arc::new(set)
        };
        let sets = vec![revised("a", 1, 0), revised("b", 2, 1), revised("c", 3, 0), revised("new", 4, 1)];
        let mut rollout = Rollout::new(deployment(1, "1", "0"), sets);
        rollout.deployment.spec.revision_history_limit = Some(1);
        let names: Vec<_> = surplus_history(&rollout).iter().map(|s| s.name().to_owned()).collect();
        assert_eq!(names, ["web-a"]);
        rollout.deployment.spec.revision_history_limit = None;
        assert!(surplus_history(&rollout).is_empty());
    }
}
