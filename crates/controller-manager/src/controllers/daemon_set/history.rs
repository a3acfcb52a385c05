//! The revisions of a daemon set: one stored template for each, so that a rollback can find it.

use std::collections::HashSet;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use nakhoda_api::kinds::apps::{ControllerRevision, DaemonSet};
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::{Resource, owner};
use serde_json::{Value, json};

/// The label that tells the pods of one template from those of another.
pub const HASH: &str = "controller-revision-hash";
/// How many revisions are kept if the set does not say.
const KEPT: i32 = 10;

/// What a pass makes of the revisions.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The template is stored, under the highest number.
    Current(Arc<ControllerRevision>),
    /// The template is stored, but was not the last one: it gets this number.
    Raise(Arc<ControllerRevision>, i64),
    /// The template is new and gets this number.
    Create(i64),
}

/// Looks for the template among the set's revisions.
#[must_use]
pub fn step(set: &DaemonSet, revisions: &[Arc<ControllerRevision>]) -> Step {
    let data = data(set);
    let newest = |r: &&Arc<ControllerRevision>| r.revision.unwrap_or_default();
    let current = revisions.iter().filter(|r| r.data.0 == data).max_by_key(newest);
    let others = revisions.iter().filter(|r| r.data.0 != data).map(|r| r.revision.unwrap_or_default());
    let next = others.max().unwrap_or_default() + 1;
    match current {
        Some(current) if current.revision.unwrap_or_default() >= next => Step::Current(current.clone()),
        Some(current) => Step::Raise(current.clone(), next),
        None => Step::Create(next),
    }
}

/// The revision of a set's template.
#[must_use]
pub fn build(set: &DaemonSet, revision: i64) -> ControllerRevision {
    let collisions = set.status.as_ref().and_then(|s| s.collision_count);
    let hash = crate::hash::of(&set.spec.template, collisions);
    let mut labels = set.spec.template.metadata.as_ref().and_then(|m| m.labels.clone()).unwrap_or_default();
    labels.insert(HASH.into(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", set.name())),
            namespace: set.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: set.metadata.annotations.clone(),
            owner_references: Some(vec![owner(set)]),
            ..ObjectMeta::default()
        },
        data: RawExtension(data(set)),
        revision: Some(revision),
    }
}

/// The hash on a revision and on its pods.
#[must_use]
pub fn hash(revision: &ControllerRevision) -> &str {
    revision.metadata.labels.as_ref().and_then(|l| l.get(HASH)).map(String::as_str).unwrap_or_default()
}

/// Whether a revision holds the set's template.
#[must_use]
pub fn holds(revision: &ControllerRevision, set: &DaemonSet) -> bool {
    revision.data.0 == data(set)
}

/// The oldest revisions beyond the limit; neither the current one nor one that a pod still has.
#[must_use]
pub fn surplus(
    set: &DaemonSet,
    current: &ControllerRevision,
    mut revisions: Vec<Arc<ControllerRevision>>,
    pods: &[Arc<Pod>],
) -> Vec<Arc<ControllerRevision>> {
    let live: HashSet<&str> =
        pods.iter().filter_map(|p| p.metadata.labels.as_ref()?.get(HASH)).map(String::as_str).collect();
    let limit = usize::try_from(set.spec.revision_history_limit.unwrap_or(KEPT)).unwrap_or_default();
    revisions.retain(|r| r.name() != current.name() && !live.contains(hash(r)));
    let surplus = revisions.len().saturating_sub(limit);
    revisions.sort_by_key(|r| r.revision);
    revisions.truncate(surplus);
    revisions
}

/// A patch that puts the template in the place of any other.
fn data(set: &DaemonSet) -> Value {
    let mut template = serde_json::to_value(&set.spec.template).expect("a typed object always serialises");
    template["$patch"] = "replace".into();
    json!({"spec": {"template": template}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::template;

    fn set(version: &str) -> DaemonSet {
        let mut set = DaemonSet::default();
        set.metadata.name = Some("dns".into());
        set.spec.template = template(version);
        set
    }

    #[test]
    fn a_template_is_stored_once_and_raised_when_it_comes_back() {
        let first = Arc::new(build(&set("1"), 1));
        assert_eq!(step(&set("1"), &[]), Step::Create(1));
        assert_eq!(step(&set("1"), std::slice::from_ref(&first)), Step::Current(first.clone()));
        assert_eq!(step(&set("2"), std::slice::from_ref(&first)), Step::Create(2));
        let second = Arc::new(build(&set("2"), 2));
        assert_eq!(step(&set("1"), &[first.clone(), second]), Step::Raise(first, 3));
    }

    #[test]
    fn history_beyond_the_limit_goes_unless_a_pod_has_it() {
        let revisions: Vec<_> = (1..=3).map(|n| Arc::new(build(&set(&n.to_string()), n))).collect();
        let mut current = set("3");
        current.spec.revision_history_limit = Some(0);
        let mut pod = Pod::default();
        pod.metadata.labels = Some([(HASH.to_owned(), hash(&revisions[1]).to_owned())].into());
        let gone = surplus(&current, &revisions[2], revisions.clone(), &[Arc::new(pod)]);
        assert_eq!(gone, [revisions[0].clone()]);
    }
}
