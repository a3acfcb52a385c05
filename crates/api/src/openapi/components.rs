//! The components of a document: the schemas of what is served, and all they refer to.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::schema::{Component, Writer};
use super::{Dialect, ResourceInfo, custom, names};
use crate::GroupVersionKind;
use crate::schema::prose::Prose;
use crate::schema::{MessageId, message_for, table};

pub(super) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";

const PATCH_TEXT: &str = "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.";

/// All schemas by name, sorted.
pub(super) fn of(resources: &[&ResourceInfo], dialect: Dialect) -> Value {
    let kinds = kinds_by_message();
    let prose = Prose::unpack();
    let mut writer = Writer::new(dialect, &prose);
    let mut schemas = BTreeMap::from([(PATCH.to_owned(), json!({"description": PATCH_TEXT, "type": "object"}))]);
    writer.found.extend(meta_kinds());
    for resource in resources {
        match &resource.schema {
            Some(schema) => schemas.extend(custom::schemas(resource, schema, dialect, &prose)),
            None => writer.found.extend(roots(resource)),
        }
        writer
            .found
            .extend(resource.subresources.iter().filter_map(|sub| message_for(&sub.gvk)).map(Component::Message));
    }
    while let Some(component) = writer.found.pop() {
        match component {
            Component::Special(name, schema) => drop(schemas.entry(name).or_insert(schema)),
            Component::Message(id) => {
                let message = table().message(id);
                let name = names::message(message);
                if let Entry::Vacant(slot) = schemas.entry(name) {
                    let mut schema = writer.message(message);
                    schema.extend(kinds.get(&id).map(|kinds| (EXTENSION.to_owned(), Value::Array(kinds.clone()))));
                    slot.insert(Value::Object(schema));
                }
            }
        }
    }
    Value::Object(Map::from_iter(schemas))
}

pub(super) const EXTENSION: &str = "x-kubernetes-group-version-kind";

fn roots(resource: &ResourceInfo) -> impl Iterator<Item = Component> {
    [message_for(&resource.gvk), message_for(&names::list_gvk(resource))].into_iter().flatten().map(Component::Message)
}

/// What operations of all kinds refer to, custom ones too.
fn meta_kinds() -> impl Iterator<Item = Component> {
    ["DeleteOptions", "Status", "ObjectMeta", "ListMeta"]
        .into_iter()
        .filter_map(|name| table().named("meta/v1", name))
        .map(Component::Message)
}

/// The kinds that share a message: the options of meta/v1 stand in every group.
fn kinds_by_message() -> HashMap<MessageId, Vec<Value>> {
    let mut versions: Vec<(&str, &str)> =
        table().kinds().filter(|kind| kind.group != "*").map(|kind| (kind.group, kind.version)).collect();
    versions.sort_unstable();
    versions.dedup();
    let mut out: HashMap<MessageId, Vec<Value>> = HashMap::new();
    for kind in table().kinds() {
        let places = if kind.group == "*" { versions.clone() } else { vec![(kind.group, kind.version)] };
        let of = |(group, version): (&str, &str)| extension(&GroupVersionKind::new(group, version, kind.kind));
        out.entry(kind.message).or_default().extend(places.into_iter().map(of));
    }
    out
}

/// `x-kubernetes-group-version-kind` of one kind.
pub(super) fn extension(gvk: &GroupVersionKind) -> Value {
    json!({"group": gvk.group, "kind": gvk.kind, "version": gvk.version})
}
