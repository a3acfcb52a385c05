//! Who owns whom, by UID.

use std::collections::{BTreeMap, BTreeSet};

use nakhoda_api::kinds::meta::OwnerReference;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_client::Key;

/// The finalizer of an owner that waits for its dependents.
pub const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an owner that lets its dependents go.
pub const ORPHAN: &str = "orphan";
/// The namespace of queue keys that mean [`Work::Orphan`].
const ORPHANS: &str = "orphan-dependents";

/// An object, as far as ownership goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Which resource it is of.
    pub gvr: GroupVersionResource,
    /// Where it lives.
    pub key: Key,
    /// Its UID.
    pub uid: String,
    /// Its owners.
    pub owners: Vec<OwnerReference>,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// What holds it.
    pub finalizers: Vec<String>,
}

/// Something to look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Whether the object of this UID may stay.
    Check(String),
    /// The dependents of the object of this UID are to be let go.
    Orphan(String),
}

/// All objects and their edges.
#[derive(Debug, Default)]
pub struct Graph {
    objects: BTreeMap<String, Known>,
    dependents: BTreeMap<String, BTreeSet<String>>,
    absent: BTreeSet<String>,
}

// === impl Known ===

impl Known {
    /// Reads an object of a resource. Owners that cannot be read count as none.
    #[must_use]
    pub fn of(gvr: &GroupVersionResource, object: &Object) -> Self {
        let owners = object.at(&["metadata", "ownerReferences"]).cloned().unwrap_or_default();
        Self {
            gvr: gvr.clone(),
            key: Key::new(object.namespace(), object.name()),
            uid: object.uid().into(),
            owners: serde_json::from_value(owners).unwrap_or_default(),
            terminating: object.is_terminating(),
            finalizers: object.finalizers().map(str::to_owned).collect(),
        }
    }

    /// Whether it waits for its dependents to go.
    #[must_use]
    pub fn waits_for_dependents(&self) -> bool {
        self.terminating && self.holds(FOREGROUND)
    }

    /// Whether it lets its dependents go.
    #[must_use]
    pub fn lets_dependents_go(&self) -> bool {
        self.terminating && self.holds(ORPHAN)
    }

    /// Whether a finalizer holds it.
    #[must_use]
    pub fn holds(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|f| f == finalizer)
    }
}

// === impl Work ===

impl Work {
    /// Reads a key of the queue.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        if key.namespace == ORPHANS { Self::Orphan(key.name.clone()) } else { Self::Check(key.name.clone()) }
    }

    /// Its key in the queue.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Check(uid) => Key::new("", uid),
            Self::Orphan(uid) => Key::new(ORPHANS, uid),
        }
    }

    /// Which object it is about.
    #[must_use]
    pub fn uid(&self) -> &str {
        match self {
            Self::Check(uid) | Self::Orphan(uid) => uid,
        }
    }
}

// === impl Graph ===

impl Graph {
    /// The object of a UID.
    #[must_use]
    pub fn get(&self, uid: &str) -> Option<&Known> {
        self.objects.get(uid)
    }

    /// The objects that name this one as an owner.
    #[must_use]
    pub fn dependents(&self, uid: &str) -> Vec<Known> {
        let uids = self.dependents.get(uid).into_iter().flatten();
        uids.filter_map(|d| self.objects.get(d)).cloned().collect()
    }

    /// Whether an owner of this UID was looked for and not found. UIDs are never used again.
    #[must_use]
    pub fn is_absent(&self, uid: &str) -> bool {
        self.absent.contains(uid)
    }

    /// Notes that an owner was looked for and not found.
    pub fn note_absent(&mut self, uid: &str) {
        if self.absent.len() >= 10_000 {
            self.absent.clear();
        }
        self.absent.insert(uid.to_owned());
    }

    /// Takes in an object as it is; what to look into. One without a UID cannot be told from others.
    pub fn apply(&mut self, known: Known) -> Vec<Work> {
        let uid = known.uid.clone();
        if uid.is_empty() {
            return Vec::new();
        }
        let before = self.objects.insert(uid.clone(), known.clone());
        let old = before.as_ref().map(|b| b.owners.as_slice()).unwrap_or_default();
        let owners_changed = old != known.owners;
        if owners_changed {
            self.unlink(&uid, old);
            for owner in &known.owners {
                self.dependents.entry(owner.uid.clone()).or_default().insert(uid.clone());
            }
        }
        let mut work = Vec::new();
        let was = |state: fn(&Known) -> bool| before.as_ref().is_some_and(state);
        if known.lets_dependents_go() && !was(Known::lets_dependents_go) {
            work.push(Work::Orphan(uid.clone()));
        }
        if known.waits_for_dependents() && !was(Known::waits_for_dependents) {
            work.extend(self.dependents.get(&uid).into_iter().flatten().cloned().map(Work::Check));
            work.push(Work::Check(uid.clone()));
        }
        if owners_changed {
            work.extend(self.waiting_owners(old));
            if !known.owners.is_empty() {
                work.push(Work::Check(uid));
            }
        }
        work
    }

    /// Takes in that an object is gone; what to look into.
    pub fn remove(&mut self, uid: &str) -> Vec<Work> {
        let Some(known) = self.objects.remove(uid) else { return Vec::new() };
        self.unlink(uid, &known.owners);
        let dependents = self.dependents.get(uid).into_iter().flatten().cloned().map(Work::Check);
        let mut work: Vec<Work> = dependents.collect();
        work.extend(self.waiting_owners(&known.owners));
        self.note_absent(uid);
        work
    }

    /// Takes in all objects of a resource; what to look into.
    pub fn replace(&mut self, gvr: &GroupVersionResource, all: Vec<Known>) -> Vec<Work> {
        let there: BTreeSet<&str> = all.iter().map(|k| k.uid.as_str()).collect();
        let gone = self.objects.values().filter(|k| k.gvr == *gvr && !there.contains(k.uid.as_str()));
        let gone: Vec<String> = gone.map(|k| k.uid.clone()).collect();
        let mut work: Vec<Work> = gone.iter().flat_map(|uid| self.remove(uid)).collect();
        work.extend(all.into_iter().flat_map(|known| self.apply(known)).collect::<Vec<_>>());
        work
    }

    fn unlink(&mut self, uid: &str, owners: &[OwnerReference]) {
        for owner in owners {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(uid);
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
    }

    fn waiting_owners(&self, owners: &[OwnerReference]) -> Vec<Work> {
        let known = owners.iter().filter_map(|o| self.objects.get(&o.uid));
        known.filter(|o| o.waits_for_dependents()).map(|o| Work::Check(o.uid.clone())).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn known(uid: &str, owners: &[&str]) -> Known {
        let owner = |uid: &&str| OwnerReference { uid: (*uid).into(), ..OwnerReference::default() };
        Known { uid: uid.into(), owners: owners.iter().map(owner).collect(), ..Known::default() }
    }

    fn check(uid: &str) -> Work {
        Work::Check(uid.into())
    }

    #[test]
    fn an_object_is_read_with_its_owners() {
        let owner = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u1",
            "controller": true, "blockOwnerDeletion": true,
        });
        let meta = serde_json::json!({"name": "a", "namespace": "b", "uid": "u2", "ownerReferences": [owner]});
        let object = Object::from_value(serde_json::json!({"metadata": meta})).expect("an object");
        let known = Known::of(&GroupVersionResource::new("", "v1", "pods"), &object);
        assert_eq!((known.key.to_string().as_str(), known.owners[0].uid.as_str()), ("b/a", "u1"));
    }

    #[test]
    fn an_owner_that_goes_makes_its_dependents_be_looked_at() {
        let mut graph = Graph::default();
        assert_eq!(graph.apply(known("set", &[])), []);
        assert_eq!(graph.apply(known("pod", &["set"])), [check("pod")]);
        assert_eq!(graph.apply(known("pod", &["set"])), [], "nothing changed");
        assert_eq!(graph.remove("set"), [check("pod")]);
        assert!(graph.is_absent("set"));
        assert_eq!(graph.remove("pod"), []);
    }

    #[test]
    fn an_owner_that_waits_is_looked_at_when_a_dependent_goes() {
        let mut graph = Graph::default();
        graph.apply(known("set", &[]));
        graph.apply(known("pod", &["set"]));
        let waiting = Known { terminating: true, finalizers: vec![FOREGROUND.into()], ..known("set", &[]) };
        assert_eq!(graph.apply(waiting), [check("pod"), check("set")]);
        assert_eq!(graph.remove("pod"), [check("set")]);
    }

    #[test]
    fn an_owner_that_lets_go_is_told_once_and_a_relist_finds_what_is_gone() {
        let mut graph = Graph::default();
        graph.apply(known("pod", &["set"]));
        let letting = Known { terminating: true, finalizers: vec![ORPHAN.into()], ..known("set", &[]) };
        assert_eq!(graph.apply(letting.clone()), [Work::Orphan("set".into())]);
        assert_eq!(graph.apply(letting), []);
        let gone = graph.replace(&GroupVersionResource::default(), vec![known("pod", &["set"])]);
        assert_eq!(gone, [check("pod")]);
        assert_eq!(Work::of(&Work::Orphan("u".into()).key()), Work::Orphan("u".into()));
    }
}
