//! The revisions of a workload: one stored template for each, so that a rollback can find it.
//! Daemon sets and stateful sets have them.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use nakhoda_api::kinds::apps::ControllerRevision;
use nakhoda_api::kinds::core::PodTemplateSpec;
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::{Resource, owner};
use serde_json::{Value, json};

use crate::selector::Labels;

pub mod store;

pub use store::Store;

/// The label that tells the pods of one template from those of another.
pub const HASH: &str = "controller-revision-hash";
/// How many revisions are kept if the workload does not say.
const KEPT: i32 = 10;

/// A workload with revisions.
pub trait Revisioned: Resource {
    /// What the pods are made from.
    fn template(&self) -> &PodTemplateSpec;
    /// How often a hash has met another template.
    fn collisions(&self) -> Option<i32>;
    /// The workload with another such count.
    fn with_collisions(&self, count: i32) -> Self;
    /// How many old revisions are kept.
    fn limit(&self) -> Option<i32>;
    /// Whether these labels are of one of its revisions.
    fn selects(&self, labels: Option<&Labels>) -> bool;
}

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

/// Looks for the template among the workload's revisions.
#[must_use]
pub fn step<K: Revisioned>(workload: &K, revisions: &[Arc<ControllerRevision>]) -> Step {
    let data = data(workload);
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

/// The revision of a workload's template.
#[must_use]
pub fn build<K: Revisioned>(workload: &K, revision: i64) -> ControllerRevision {
    let hash = crate::hash::of(workload.template(), workload.collisions());
    let mut labels = workload.template().metadata.as_ref().and_then(|m| m.labels.clone()).unwrap_or_default();
    labels.insert(HASH.into(), hash.clone());
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", workload.name())),
            namespace: workload.metadata().namespace.clone(),
            labels: Some(labels),
            annotations: workload.metadata().annotations.clone(),
            owner_references: Some(vec![owner(workload)]),
            ..ObjectMeta::default()
        },
        data: RawExtension(data(workload)),
        revision: Some(revision),
    }
}

/// The hash of a revision.
#[must_use]
pub fn hash(revision: &ControllerRevision) -> &str {
    revision.metadata.labels.as_ref().and_then(|l| l.get(HASH)).map(String::as_str).unwrap_or_default()
}

/// The revision that made a pod: a hash or a revision's name, as the workload has it.
#[must_use]
pub fn mark(labels: Option<&Labels>) -> &str {
    labels.and_then(|l| l.get(HASH)).map(String::as_str).unwrap_or_default()
}

/// The template that a revision holds; nothing if it holds none that can be read.
#[must_use]
pub fn template(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    serde_json::from_value(revision.data.0.pointer("/spec/template")?.clone()).ok()
}

/// Whether a revision holds the workload's template.
#[must_use]
pub fn holds<K: Revisioned>(revision: &ControllerRevision, workload: &K) -> bool {
    revision.data.0 == data(workload)
}

/// The oldest revisions beyond the limit, none of them `live`.
#[must_use]
pub fn surplus<K: Revisioned>(
    workload: &K,
    mut revisions: Vec<Arc<ControllerRevision>>,
    live: impl Fn(&ControllerRevision) -> bool,
) -> Vec<Arc<ControllerRevision>> {
    let Ok(limit) = usize::try_from(workload.limit().unwrap_or(KEPT)) else { return Vec::new() };
    revisions.retain(|r| !live(r));
    let surplus = revisions.len().saturating_sub(limit);
    revisions.sort_by_key(|r| r.revision);
    revisions.truncate(surplus);
    revisions
}

/// A patch that puts the template in the place of any other.
fn data<K: Revisioned>(workload: &K) -> Value {
    let mut template = serde_json::to_value(workload.template()).expect("a typed object always serialises");
    template["$patch"] = "replace".into();
    json!({"spec": {"template": template}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::template as version;
    use nakhoda_api::kinds::apps::DaemonSet;

    fn set(text: &str) -> DaemonSet {
        let mut set = DaemonSet::default();
        set.metadata.name = Some("dns".into());
        set.spec.template = version(text);
        set
    }

    #[test]
    fn a_template_is_stored_once_and_raised_when_it_comes_back() {
        let first = Arc::new(build(&set("1"), 1));
        assert_eq!(template(&first), Some(version("1")));
        assert_eq!(step(&set("1"), &[]), Step::Create(1));
        assert_eq!(step(&set("1"), std::slice::from_ref(&first)), Step::Current(first.clone()));
        assert_eq!(step(&set("2"), std::slice::from_ref(&first)), Step::Create(2));
        let second = Arc::new(build(&set("2"), 2));
        assert_eq!(step(&set("1"), &[first.clone(), second]), Step::Raise(first, 3));
    }

    #[test]
    fn history_beyond_the_limit_goes_unless_it_is_still_used() {
        let revisions: Vec<_> = (1..=3).map(|n| Arc::new(build(&set(&n.to_string()), n))).collect();
        let mut current = set("3");
        current.spec.revision_history_limit = Some(0);
        let live = |r: &ControllerRevision| r.revision != Some(1);
        assert_eq!(surplus(&current, revisions.clone(), live), [revisions[0].clone()]);
        current.spec.revision_history_limit = Some(1);
        assert!(surplus(&current, revisions, live).is_empty());
    }
}
