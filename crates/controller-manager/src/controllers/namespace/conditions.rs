//! What the status of a namespace says about its end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nakhoda_api::kinds::core::{Namespace, NamespaceCondition};
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_client::Result;

use super::label;

/// What could not be deleted yet.
#[derive(Debug, Default, PartialEq)]
pub struct Remains {
    /// Why nobody knows what there is.
    pub undiscovered: Option<String>,
    /// Why something could not be deleted.
    pub failures: Vec<String>,
    /// How many objects of a resource are left.
    pub objects: BTreeMap<String, usize>,
    /// How many objects a finalizer holds.
    pub finalizers: BTreeMap<String, usize>,
}

/// A condition: its type, and reason and message while all is well.
const TYPES: [(&str, &str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    (
        "NamespaceFinalizersRemaining",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
];

// === impl Remains ===

impl Remains {
    /// Whether the namespace is empty for certain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes what is left of a resource.
    pub fn add(&mut self, gvr: &GroupVersionResource, outcome: Result<Vec<Object>>) {
        match outcome {
            Ok(left) if left.is_empty() => {}
            Ok(left) => {
                self.objects.insert(label(gvr), left.len());
                for finalizer in left.iter().flat_map(Object::finalizers) {
                    *self.finalizers.entry(finalizer.to_owned()).or_default() += 1;
                }
            }
            // A resource that is served no longer has nothing left.
            Err(error) if error.is_not_found() => {}
            Err(error) => self.failures.push(format!("{}: {error}", label(gvr))),
        }
    }

    /// Reason and message of a condition that is true.
    fn problem(&self, type_: &str) -> Option<(&'static str, String)> {
        let list = |map: &BTreeMap<String, usize>, verb: &str| {
            map.iter().map(|(k, n)| format!("{k} {verb} {n} resource instances")).collect::<Vec<_>>().join(", ")
        };
        match type_ {
            "NamespaceDeletionDiscoveryFailure" => Some(("DiscoveryFailed", self.undiscovered.clone()?)),
            "NamespaceDeletionContentFailure" if !self.failures.is_empty() => {
                let (count, all) = (self.failures.len(), self.failures.join(", "));
                Some(("ContentDeletionFailed", format!("Failed to delete all resource types, {count} remaining: {all}")))
            }
            "NamespaceContentRemaining" if !self.objects.is_empty() => {
                let all = list(&self.objects, "has");
                Some(("SomeResourcesRemain", format!("Some resources are remaining: {all}")))
            }
            "NamespaceFinalizersRemaining" if !self.finalizers.is_empty() => {
                let all = list(&self.finalizers, "in");
                let message = format!("Some content in the namespace has finalizers remaining: {all}");
                Some(("SomeFinalizersRemain", message))
            }
            _ => None,
        }
    }
}

/// The namespace with the conditions of the day; nothing if it has them already.
#[must_use]
pub fn tell(namespace: &Namespace, remains: &Remains, now: Timestamp) -> Option<Namespace> {
    let mut told = namespace.clone();
    let conditions = told.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut changed = false;
    for (type_, well, message) in TYPES {
        let (status, reason, message) = match remains.problem(type_) {
            Some((reason, message)) => ("True", reason, message),
            None => ("False", well, message.to_owned()),
        };
        let condition = NamespaceCondition {
            type_: type_.into(),
            status: status.into(),
            reason: Some(reason.into()),
            message: Some(message),
            last_transition_time: Some(Time(now)),
        };
        match conditions.iter_mut().find(|c| c.type_ == type_) {
            Some(before) if is_same(before, &condition) => {}
            Some(before) => {
                *before = condition;
                changed = true;
            }
            None => {
                conditions.push(condition);
                changed = true;
            }
        }
    }
    changed.then_some(told)
}

fn is_same(a: &NamespaceCondition, b: &NamespaceCondition) -> bool {
    (&a.status, &a.reason, &a.message) == (&b.status, &b.reason, &b.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_left_is_told_by_resource_and_by_finalizer_once() {
        let pod = Object::from_value(json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}}));
        let mut remains = Remains::default();
        remains.add(&GroupVersionResource::new("", "v1", "pods"), Ok(vec![pod.expect("an object")]));
        let told = tell(&Namespace::default(), &remains, Timestamp::UNIX_EPOCH).expect("news");
        let conditions = told.status.clone().and_then(|s| s.conditions).expect("told");
        let message = |type_: &str| {
            let found = conditions.iter().find(|c| c.type_ == type_ && c.status == "True");
            found.and_then(|c| c.message.clone())
        };
        assert_eq!(
            message("NamespaceContentRemaining").as_deref(),
            Some("Some resources are remaining: pods. has 1 resource instances")
        );
        assert_eq!(
            message("NamespaceFinalizersRemaining").as_deref(),
            Some(
                "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
            )
        );
        assert_eq!(tell(&told, &remains, Timestamp::MAX), None, "nothing new, so nothing is written");
        let done = tell(&told, &Remains::default(), Timestamp::MAX).expect("news");
        assert!(done.status.and_then(|s| s.conditions).expect("told").iter().all(|c| c.status == "False"));
    }
}
