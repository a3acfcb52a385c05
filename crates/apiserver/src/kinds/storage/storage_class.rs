//! StorageClass: a kind of storage that can be asked for, and who provides it. It can be replaced, hardly changed.

use std::collections::BTreeMap;

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{TopologySelectorLabelRequirement, TopologySelectorTerm};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::kinds::storage::StorageClass;
use serde_json::Value;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{immutable, list, qualified, supported, text};
use crate::rules::pod::warnings::labels;

/// The kind.
pub struct StorageClasses;

const PARAMETERS: usize = 512;
const PARAMETERS_SIZE: usize = 256 << 10;

impl Kind for StorageClasses {
    type Object = StorageClass;

    fn info() -> Info {
        Info {
            short: &["sc"],
            returns_deleted: true,
            ..Info::of::<StorageClass>("storageclasses", "storageclass", Scope::Cluster)
        }
    }

    fn default(class: &mut StorageClass) {
        class.reclaim_policy.get_or_insert_with(|| "Delete".into());
        class.volume_binding_mode.get_or_insert_with(|| "Immediate".into());
    }

    fn validate(_: &Cx, new: &StorageClass, old: Option<&StorageClass>, errors: &mut Errors) {
        provisioner(errors, &Path::new("provisioner"), &new.provisioner);
        parameters(errors, &Path::new("parameters"), new.parameters.as_ref());
        let policy = text(&new.reclaim_policy);
        if !policy.is_empty() {
            supported(errors, &Path::new("reclaimPolicy"), policy, &["Delete", "Retain"]);
        }
        let mode = text(&new.volume_binding_mode);
        supported(errors, &Path::new("volumeBindingMode"), mode, &["Immediate", "WaitForFirstConsumer"]);
        topologies(errors, &Path::new("allowedTopologies"), list(&new.allowed_topologies));
        let Some(old) = old else { return };
        immutable(errors, &Path::new("parameters"), &new.parameters, &old.parameters);
        immutable(errors, &Path::new("provisioner"), &new.provisioner, &old.provisioner);
        immutable(errors, &Path::new("reclaimPolicy"), &new.reclaim_policy, &old.reclaim_policy);
        immutable(errors, &Path::new("volumeBindingMode"), &new.volume_binding_mode, &old.volume_binding_mode);
    }

    fn warnings(new: &StorageClass, _: Option<&StorageClass>) -> Vec<String> {
        let terms = list(&new.allowed_topologies).iter().enumerate();
        let keys = terms.flat_map(|(i, t)| list(&t.match_label_expressions).iter().enumerate().map(move |(j, e)| (i, j, e)));
        let warning = |(i, j, one): (usize, usize, &TopologySelectorLabelRequirement)| {
            let at = format!("allowedTopologies[{i}].matchLabelExpressions[{j}].key");
            labels::deprecated(&one.key).map(|text| format!("{at}: {text}"))
        };
        keys.filter_map(warning).collect()
    }

    fn columns() -> Columns<StorageClass> {
        Columns::<StorageClass>::none()
            .text("Name", |c, _| name(c).into())
            .format("name")
            .text("Provisioner", |c, _| c.provisioner.clone().into())
            .text("ReclaimPolicy", |c, _| c.reclaim_policy.as_deref().unwrap_or("Delete").into())
            .text("VolumeBindingMode", |c, _| c.volume_binding_mode.as_deref().unwrap_or("Immediate").into())
            .text("AllowVolumeExpansion", |c, _| Value::Bool(c.allow_volume_expansion.unwrap_or(false)))
            .age()
    }
}

/// Whether claims that name no class get this one.
#[must_use]
pub fn is_default(metadata: &ObjectMeta) -> bool {
    let keys = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let noted = |key: &&str| metadata.annotations.as_ref().is_some_and(|a| a.get(*key).is_some_and(|v| v == "true"));
    keys.iter().any(noted)
}

fn name(class: &StorageClass) -> String {
    let mark = if is_default(&class.metadata) { " (default)" } else { "" };
    format!("{}{mark}", text(&class.metadata.name))
}

/// Who provides.
pub(super) fn provisioner(errors: &mut Errors, path: &Path, name: &str) {
    match name {
        "" => errors.required(path, ""),
        name => qualified(errors, path, &name.to_lowercase()),
    }
}

/// What the provider is told.
pub(super) fn parameters(errors: &mut Errors, path: &Path, parameters: Option<&BTreeMap<String, String>>) {
    let Some(parameters) = parameters else { return };
    if parameters.len() > PARAMETERS {
        return errors.too_long(path, PARAMETERS);
    }
    if parameters.contains_key("") {
        errors.invalid(path, "", "field can not be empty.");
    }
    if parameters.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > PARAMETERS_SIZE {
        errors.too_long(path, PARAMETERS_SIZE);
    }
}

fn topologies(errors: &mut Errors, path: &Path, terms: &[TopologySelectorTerm]) {
    let mut seen: Vec<BTreeMap<&str, Vec<&String>>> = Vec::new();
    for (i, term) in terms.iter().enumerate() {
        let at = path.index(i).child("matchLabelExpressions");
        let mut keys = BTreeMap::new();
        for (j, one) in list(&term.match_label_expressions).iter().enumerate() {
            requirement(errors, &at.index(j), one);
            let mut values: Vec<&String> = one.values.iter().collect();
            values.sort();
            values.dedup();
            if keys.insert(one.key.as_str(), values).is_some() {
                errors.duplicate(&at.index(j).child("key"), one.key.as_str());
            }
        }
        seen.iter().filter(|other| **other == keys).for_each(|_| errors.duplicate(&at, ""));
        seen.push(keys);
    }
}

fn requirement(errors: &mut Errors, path: &Path, requirement: &TopologySelectorLabelRequirement) {
    let at = path.child("values");
    if requirement.values.is_empty() {
        errors.required(&at, "");
    }
    for (i, value) in requirement.values.iter().enumerate().filter(|(i, v)| requirement.values[..*i].contains(v)) {
        errors.duplicate(&at.index(i), value.as_str());
    }
    qualified(errors, &path.child("key"), &requirement.key);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, update};

    #[test]
    fn a_class_names_its_provider_and_keeps_it() {
        assert_eq!(
            create::<StorageClasses>(json!({"metadata": {"name": "a"}, "provisioner": "", "volumeBindingMode": "Late"})),
            "[provisioner: Required value, volumeBindingMode: Unsupported value: \"Late\": supported values: \"Immediate\", \"WaitForFirstConsumer\"]"
        );
        let class = |parameters| json!({"metadata": {"name": "a"}, "provisioner": "p", "volumeBindingMode": "Immediate", "parameters": parameters});
        assert_eq!(
            update::<StorageClasses>(class(json!({"a": "1"})), class(json!({"a": "2"}))),
            "parameters: Invalid value: {\"a\":\"2\"}: field is immutable"
        );
    }

    #[test]
    fn the_default_class_is_marked() {
        let mark = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        let class = json!({"metadata": {"name": "a", "annotations": mark}, "provisioner": "p"});
        let shown = row::<StorageClasses>(defaulted::<StorageClasses>(class));
        assert_eq!(shown[..5], [json!("a (default)"), json!("p"), json!("Delete"), json!("Immediate"), json!(false)]);
    }
}
