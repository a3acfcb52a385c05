//! What of a volume stays as it is.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{NodeSelectorRequirement, NodeSelectorTerm, PersistentVolumeSpec, VolumeNodeAffinity};
use serde_json::{Value, json};

use crate::rules::check::{immutable, same};
use crate::rules::diff;
use crate::rules::volume::persistent::SOURCE;

/// Labels of nodes that have a name without `beta` since.
const RENAMED: &[(&str, &str)] = &[
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
];

pub(super) fn validate(errors: &mut Errors, new: &PersistentVolumeSpec, old: &PersistentVolumeSpec) {
    let (before, mut now) = (source(old), source(new));
    if let (Some(before), Some(now)) = (before.get("csi"), now.get_mut("csi"))
        && before.get("controllerExpandSecretRef").is_none()
        && let Some(csi) = now.as_object_mut()
    {
        csi.remove("controllerExpandSecretRef");
    }
    // a source that is there and says nothing is not one that is absent
    let difference = diff::internal(&before, &now, SOURCE);
    if !difference.is_empty() {
        let at = Path::new("spec").child("persistentvolumesource");
        errors.forbidden(&at, format!("spec.persistentvolumesource is immutable after creation\n{difference}"));
    }
    immutable(errors, &Path::new("volumeMode"), &new.volume_mode, &old.volume_mode);
    if let Some(before) = &old.node_affinity {
        affinity(errors, new.node_affinity.as_ref(), before);
    }
    if old.volume_attributes_class_name.is_some() && new.volume_attributes_class_name.is_none() {
        let at = Path::new("spec").child("volumeAttributesClassName");
        errors.forbidden(&at, "update from non-nil value to nil is forbidden");
    }
}

/// The fields that say where the data lie.
fn source(spec: &PersistentVolumeSpec) -> Value {
    let mut fields = serde_json::to_value(spec).unwrap_or_default();
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|field, _| SOURCE.iter().any(|(_, name, _)| name == field));
    }
    fields
}

fn affinity(errors: &mut Errors, new: Option<&VolumeNodeAffinity>, old: &VolumeNodeAffinity) {
    let mut renamed = old.clone();
    let keys = |affinity: &VolumeNodeAffinity| -> Vec<String> { requirements(affinity).map(|r| r.key.clone()).collect() };
    let wanted = new.map(keys).unwrap_or_default();
    for (requirement, wanted) in requirements_mut(&mut renamed).zip(&wanted) {
        if RENAMED.iter().any(|(beta, name)| *beta == requirement.key && name == wanted) {
            requirement.key.clone_from(wanted);
        }
    }
    if new.is_none_or(|new| !same(new, &renamed)) {
        let why = "field is immutable, except for updating from beta label to GA";
        errors.invalid(&Path::new("nodeAffinity"), new.map_or(Value::Null, internal), why);
    }
}

fn requirements(affinity: &VolumeNodeAffinity) -> impl Iterator<Item = &NodeSelectorRequirement> {
    let terms = affinity.required.iter().flat_map(|r| &r.node_selector_terms);
    terms.flat_map(|t| t.match_expressions.iter().flatten().chain(t.match_fields.iter().flatten()))
}

fn requirements_mut(affinity: &mut VolumeNodeAffinity) -> impl Iterator<Item = &mut NodeSelectorRequirement> {
    let terms = affinity.required.iter_mut().flat_map(|r| &mut r.node_selector_terms);
    terms.flat_map(|t| t.match_expressions.iter_mut().flatten().chain(t.match_fields.iter_mut().flatten()))
}

/// As upstream's internal type prints.
fn internal(affinity: &VolumeNodeAffinity) -> Value {
    let one = |r: &NodeSelectorRequirement| json!({"Key": r.key, "Operator": r.operator, "Values": r.values});
    let all = |r: &Option<Vec<NodeSelectorRequirement>>| r.as_ref().map(|r| r.iter().map(one).collect::<Vec<_>>());
    let term = |t: &NodeSelectorTerm| json!({"MatchExpressions": all(&t.match_expressions), "MatchFields": all(&t.match_fields)});
    let terms = |terms: &[NodeSelectorTerm]| terms.iter().map(term).collect::<Vec<_>>();
    json!({"Required": affinity.required.as_ref().map(|r| json!({"NodeSelectorTerms": terms(&r.node_selector_terms)}))})
}
