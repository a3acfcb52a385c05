//! Who owns the number of replicas when it is written through `scale`: an entry of its own in the object itself
//! (`managedfields.ScaleHandler`).

use nakhoda_api::apply::{Element, Filter, Manager, Managers, Operation, Owner, Schema, Set, Writer};
use nakhoda_api::{GroupVersionKind, Object, Status, schema};
use serde_json::Value;

use super::{apply, bare, manager_name, moved, now, put, versions};
use crate::request::{PatchWrite, WriteOptions};
use crate::verb::Call;

/// A write of a Scale: of which object, and where that has its replicas.
pub struct Scaled<'a> {
    /// The request, to `scale`.
    pub call: &'a Call,
    /// The object before it.
    pub object: &'a Object,
    /// The field with the replicas.
    pub path: Vec<&'a str>,
    /// The options of the write.
    pub options: &'a WriteOptions,
}

const VERSION: &str = "autoscaling/v1";

// === impl Scaled ===

impl Scaled<'_> {
    /// Notes in the new object who owns its replicas, after its Scale was changed.
    pub fn track(&self, before: &Object, after: &Object, new: &mut Object) {
        let parents = self.parents();
        if parents.is_empty() {
            return;
        }
        let owner = self.owner(manager_name(self.call, self.options), Operation::Update);
        let own = self.down(&parents);
        if own.is_empty() {
            // as with whole objects: what nobody owns is not tracked by what is no apply; of two entries of one
            // owner the last stays
            return put(new, parents.encode());
        }
        let own = self.write(|writer| writer.update(&whole(before), &whole(after), own, &owner, &now(self.call)));
        put(new, self.up(&parents, &own).encode());
    }

    /// Applies a Scale: how many replicas there are then, who owns what of the object, and the warnings.
    pub fn apply(&self, before: &Object, patch: &PatchWrite) -> Result<(Object, Option<Value>, Vec<String>), Status> {
        let (configuration, duplicate) = apply::configuration(&gvk(), patch)?;
        let parents = self.parents();
        let owner = self.owner(patch.options.field_manager.clone(), Operation::Apply);
        let (own, now) = (self.down(&parents), now(self.call));
        let applied = self.write(|writer| {
            apply::fits(writer, &configuration)?;
            let applied = writer.apply(&whole(before), &configuration, own, &owner, patch.force, &now);
            applied.map_err(|conflicts| apply::refusal(&conflicts))
        })?;
        let after = applied.object.unwrap_or_else(|| whole(before));
        let after = Object::from_value(after).map_err(|error| Status::internal(&error))?;
        let warnings = apply::warnings(duplicate, patch)?;
        Ok((after, self.up(&parents, &applied.managers).encode(), warnings))
    }

    fn write<T>(&self, work: impl FnOnce(&Writer<'_>) -> T) -> T {
        let schema = Schema::of(&gvk()).unwrap_or_else(Schema::deduced);
        let versions = versions::Others { call: self.call };
        work(&Writer { version: VERSION, schema: &schema, filter: &Filter::All, versions: &versions })
    }

    fn parents(&self) -> Managers {
        Managers::decode(self.object.at(&["metadata", super::FIELD])).unwrap_or_default()
    }

    fn owner(&self, name: String, operation: Operation) -> Owner {
        let subresource = self.call.target.subresource.clone();
        Owner { name, operation, version: VERSION.to_owned(), subresource }
    }

    fn path(&self) -> Vec<Element> {
        self.path.iter().map(|step| Element::field(step)).collect()
    }

    fn replicas() -> Vec<Element> {
        vec![Element::field("spec"), Element::field("replicas")]
    }

    /// The owners of the replicas, as owners of a Scale.
    fn down(&self, parents: &Managers) -> Managers {
        let mut set = Set::default();
        set.insert(&Self::replicas());
        let mut own = Managers::default();
        for manager in parents.iter().filter(|manager| manager.set.has(&self.path())) {
            own.put(moved(manager, VERSION, set.clone()));
        }
        own
    }

    /// The owners of the object, with those of its Scale in the place of those who owned its replicas. Upstream knows
    /// an updater of a Scale not again as the same one of the object: he gets an entry of his own, without a time.
    fn up(&self, parents: &Managers, own: &Managers) -> Managers {
        let mut replicas = Set::default();
        replicas.insert(&self.path());
        let mut all = parents.clone();
        all.revise(|manager| {
            let is_applier = manager.owner.operation == Operation::Apply;
            let stays = is_applier && own.get(&moved(manager, VERSION, Set::default()).owner).is_some();
            Some(if stays { manager.set.clone() } else { manager.set.difference(&replicas) })
        });
        let version = self.call.kind.info.gvk.api_version();
        for manager in own.iter().filter(|manager| manager.set.has(&Self::replicas())) {
            let mut known = moved(manager, &version, replicas.clone());
            if known.owner.operation == Operation::Update {
                all.add(Manager { time: None, ..known });
                continue;
            }
            known.time = parents.get(&known.owner).and_then(|parent| parent.time.clone());
            if all.get(&known.owner).is_none_or(|parent| !parent.set.has(&self.path())) {
                all.put(known);
            }
        }
        all
    }
}

fn gvk() -> GroupVersionKind {
    GroupVersionKind::new("autoscaling", "v1", "Scale")
}

/// All fields that a Scale always has, and no owners.
fn whole(scale: &Object) -> Value {
    let mut scale = scale.clone();
    schema::normalise(&mut scale);
    bare(&scale)
}
