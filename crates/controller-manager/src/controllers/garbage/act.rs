//! What the garbage collector reads live and writes.

use nakhoda_api::kinds::meta::{DeleteOptions, OwnerReference, Preconditions};
use nakhoda_api::{GroupVersion, Object};
use nakhoda_client::{Client, DynamicApi, Patch, Result};
use serde_json::{Value, json};

use super::Shared;
use super::graph::{FOREGROUND, Known, ORPHAN};
use super::monitor::Resources;
use crate::context::Context;

/// How an owner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there and stays.
    Solid,
    /// It is gone.
    Dangling,
    /// It is there and waits for its dependents to go.
    Waiting,
}

/// What becomes of an object with such owners.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It stays as it is.
    Stay,
    /// It stays with these owners only.
    Keep(Vec<OwnerReference>),
    /// It goes, in this way.
    Delete(&'static str),
}

/// Reads and writes on behalf of the collector.
pub struct Actor {
    client: Client,
    graph: Shared,
    served: Resources,
}

// === impl Actor ===

impl Actor {
    /// Writes through the context's client.
    #[must_use]
    pub fn new(cx: &Context, graph: Shared, served: Resources) -> Self {
        Self { client: cx.client.clone(), graph, served }
    }

    /// Whether an object may stay.
    pub async fn check(&self, known: &Known) -> Result<()> {
        if known.waits_for_dependents() {
            return self.release_if_alone(known).await;
        }
        if known.terminating || known.owners.is_empty() {
            return Ok(());
        }
        if self.judge(known).await? == Verdict::Stay {
            return Ok(());
        }
        let Some((live, object)) = self.read(known).await? else { return Ok(()) };
        if live.terminating {
            return Ok(());
        }
        match self.judge(&live).await? {
            Verdict::Stay => Ok(()),
            Verdict::Keep(owners) => self.write_meta(&live, &object, "ownerReferences", json!(owners)).await,
            Verdict::Delete(policy) => {
                if self.closes_circle(&live) {
                    return self.break_circle(&live, &object, policy).await;
                }
                self.delete(&live, &object, policy).await
            }
        }
    }

    /// Whether an object blocks an owner while one that it owns waits itself: they would wait for each other.
    fn closes_circle(&self, known: &Known) -> bool {
        known.owners.iter().any(|o| o.block_owner_deletion == Some(true))
            && self.graph.lock().dependents(&known.uid).iter().any(Known::waits_for_dependents)
    }

    async fn break_circle(&self, known: &Known, object: &Object, policy: &str) -> Result<()> {
        let let_go = |owner: &OwnerReference| OwnerReference { block_owner_deletion: Some(false), ..owner.clone() };
        let owners: Vec<OwnerReference> = known.owners.iter().map(let_go).collect();
        self.write_meta(known, object, "ownerReferences", json!(owners)).await?;
        let Some((live, object)) = self.read(known).await? else { return Ok(()) };
        self.delete(&live, &object, policy).await
    }

    /// Takes the owner off all its dependents, and then its finalizer.
    pub async fn orphan_dependents(&self, owner: &Known) -> Result<()> {
        let dependents = self.graph.lock().dependents(&owner.uid);
        for dependent in dependents {
            if let Some((live, object)) = self.read(&dependent).await? {
                let owners: Vec<_> = live.owners.iter().filter(|o| o.uid != owner.uid).collect();
                if owners.len() < live.owners.len() {
                    self.write_meta(&live, &object, "ownerReferences", json!(owners)).await?;
                }
            }
        }
        self.take_off(owner, ORPHAN).await
    }

    /// An owner that waits is released once nobody blocks it; those who do are looked at again.
    async fn release_if_alone(&self, owner: &Known) -> Result<()> {
        let dependents = self.graph.lock().dependents(&owner.uid);
        let blocks = |d: &Known| d.owners.iter().any(|o| o.uid == owner.uid && o.block_owner_deletion == Some(true));
        if dependents.iter().any(blocks) { Ok(()) } else { self.take_off(owner, FOREGROUND).await }
    }

    async fn judge(&self, known: &Known) -> Result<Verdict> {
        let mut standings = Vec::with_capacity(known.owners.len());
        for owner in &known.owners {
            standings.push(self.standing(known, owner).await?);
        }
        let has_dependents = !self.graph.lock().dependents(&known.uid).is_empty();
        let verdict = verdict(known, &standings, has_dependents);
        tracing::debug!(resource = known.gvr.resource, key = %known.key, ?standings, ?verdict, "judged");
        Ok(verdict)
    }

    async fn standing(&self, dependent: &Known, owner: &OwnerReference) -> Result<Standing> {
        {
            let graph = self.graph.lock();
            if let Some(known) = graph.get(&owner.uid) {
                return Ok(if known.waits_for_dependents() { Standing::Waiting } else { Standing::Solid });
            }
            if graph.is_absent(&owner.uid) {
                return Ok(Standing::Dangling);
            }
        }
        let Some(api) = self.api_of_owner(dependent, owner) else { return Ok(Standing::Solid) };
        match api.get(&owner.name).await {
            Ok(found) if found.uid() == owner.uid => Ok(Standing::Solid),
            Err(error) if !error.is_not_found() => Err(error),
            _ => {
                self.graph.lock().note_absent(&owner.uid);
                Ok(Standing::Dangling)
            }
        }
    }

    /// Nothing if the owner's kind is not served, or if its scope makes the reference meaningless: then
    /// nobody can say that it is gone.
    fn api_of_owner(&self, dependent: &Known, owner: &OwnerReference) -> Option<DynamicApi> {
        let version = GroupVersion::parse(&owner.api_version)?;
        let served = self.served.read();
        let kind = served.iter().find(|s| s.gvr.group == version.group && s.kind == owner.kind)?;
        let namespace = dependent.key.namespace.as_str();
        if kind.namespaced && namespace.is_empty() {
            return None;
        }
        Some(self.client.dynamic(&kind.gvr, kind.namespaced.then_some(namespace)).metadata_only())
    }

    fn api(&self, known: &Known) -> DynamicApi {
        let namespace = known.key.namespace.as_str();
        self.client.dynamic(&known.gvr, (!namespace.is_empty()).then_some(namespace)).metadata_only()
    }

    /// The object as it is now; nothing if it is gone, or another one has its name.
    async fn read(&self, known: &Known) -> Result<Option<(Known, Object)>> {
        match self.api(known).get(&known.key.name).await {
            Ok(object) if object.uid() == known.uid => Ok(Some((Known::of(&known.gvr, &object), object))),
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn take_off(&self, known: &Known, finalizer: &str) -> Result<()> {
        let Some((live, object)) = self.read(known).await? else { return Ok(()) };
        if !live.holds(finalizer) {
            return Ok(());
        }
        let rest: Vec<_> = live.finalizers.iter().filter(|f| *f != finalizer).collect();
        self.write_meta(&live, &object, "finalizers", json!(rest)).await
    }

    async fn write_meta(&self, known: &Known, object: &Object, field: &str, value: Value) -> Result<()> {
        let mut meta = json!({"uid": known.uid, "resourceVersion": object.resource_version()});
        meta[field] = value;
        let patch = Patch::merge(&json!({"metadata": meta}));
        self.api(known).patch(&known.key.name, &patch).await.map(drop)
    }

    async fn delete(&self, known: &Known, object: &Object, policy: &str) -> Result<()> {
        let preconditions = Preconditions {
            uid: Some(known.uid.clone()),
            resource_version: Some(object.resource_version().to_owned()),
        };
        let options = DeleteOptions {
            preconditions: Some(preconditions),
            propagation_policy: Some(policy.into()),
            ..DeleteOptions::default()
        };
        tracing::debug!(resource = known.gvr.resource, key = %known.key, policy, "no owner is left");
        match self.api(known).delete(&known.key.name, &options).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// One solid owner keeps an object. Without any it goes: with its own dependents first where an owner
/// waits for that, else in the way that its finalizers ask for.
fn verdict(known: &Known, standings: &[Standing], has_dependents: bool) -> Verdict {
    let solid = |s: &Standing| *s == Standing::Solid;
    if standings.iter().all(solid) {
        return Verdict::Stay;
    }
    if standings.iter().any(solid) {
        let kept = known.owners.iter().zip(standings).filter(|(_, s)| solid(s));
        return Verdict::Keep(kept.map(|(owner, _)| owner.clone()).collect());
    }
    if standings.contains(&Standing::Waiting) && has_dependents {
        return Verdict::Delete("Foreground");
    }
    let policy = match known {
        k if k.holds(ORPHAN) => "Orphan",
        k if k.holds(FOREGROUND) => "Foreground",
        _ => "Background",
    };
    Verdict::Delete(policy)
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::known;
    use super::Standing::{Dangling, Solid, Waiting};
    use super::*;

    #[test]
    fn one_solid_owner_keeps_an_object_and_the_others_are_taken_off() {
        let two = known("pod", &["a", "b"]);
        assert_eq!(verdict(&two, &[Solid, Solid], false), Verdict::Stay);
        assert_eq!(verdict(&two, &[Solid, Dangling], false), Verdict::Keep(vec![two.owners[0].clone()]));
        assert_eq!(verdict(&two, &[Waiting, Solid], true), Verdict::Keep(vec![two.owners[1].clone()]));
    }

    #[test]
    fn without_a_solid_owner_it_goes_in_the_way_that_is_asked_for() {
        let one = known("pod", &["a"]);
        assert_eq!(verdict(&one, &[Dangling], true), Verdict::Delete("Background"));
        assert_eq!(verdict(&one, &[Waiting], false), Verdict::Delete("Background"));
        assert_eq!(verdict(&one, &[Waiting], true), Verdict::Delete("Foreground"));
        let letting = Known { finalizers: vec![ORPHAN.into()], ..one };
        assert_eq!(verdict(&letting, &[Dangling], false), Verdict::Delete("Orphan"));
    }
}
