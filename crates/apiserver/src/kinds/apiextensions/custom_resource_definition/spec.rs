//! Validation of the spec, in upstream's order.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::{
    CustomResourceDefinition, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion,
};
use nakhoda_api::names as rules;
use nakhoda_api::structural::definition;

use super::versions::{printed, schema, shared};
use super::{columns, conversion, names, schemas};
use crate::rules::check::{chosen, list, text};

pub(super) fn check(
    new: &CustomResourceDefinition,
    old: Option<&CustomResourceDefinition>,
    path: &Path,
    errors: &mut Errors,
) {
    let spec = &new.spec;
    group(&spec.group, &path.child("group"), errors);
    chosen(errors, &path.child("scope"), &spec.scope, &["Cluster", "Namespaced"]);
    let all_have = |spec: &CustomResourceDefinitionSpec| spec.versions.iter().all(|v| schema(v).is_some());
    for (index, version) in spec.versions.iter().enumerate().filter(|(_, v)| schema(v).is_none()) {
        let at = path.child("versions").index(index).child("schema").child("openAPIV3Schema");
        if old.is_none_or(|old| all_have(&old.spec)) {
            errors.required(&at, "");
        } else if version.served {
            errors.required(&at, "because otherwise all fields are pruned");
        }
    }
    let strict = schemas::strictness(new, old);
    for (index, version) in spec.versions.iter().enumerate() {
        one(spec, version, &path.child("versions").index(index), &strict, errors);
    }
    let versions = path.child("versions");
    if (1..spec.versions.len()).any(|n| spec.versions[..n].iter().any(|v| v.name == spec.versions[n].name)) {
        errors.invalid(&versions, printed(&spec.versions), "must contain unique version names");
    }
    if spec.versions.iter().filter(|version| version.storage).count() != 1 {
        errors.invalid(&versions, printed(&spec.versions), "must have exactly one version marked as storage version");
    }
    required_names(spec, &path.child("names"), errors);
    names::check(&spec.names, &path.child("names"), errors);
    common(spec, path, &strict, errors);
    let established = old.is_some_and(super::is_established);
    conversion::check(spec.conversion.as_ref(), old, established, &path.child("conversion"), errors);
}

fn group(group: &str, path: &Path, errors: &mut Errors) {
    if group.is_empty() {
        return errors.required(path, "");
    }
    let faults = rules::is_dns1123_subdomain(group);
    if !faults.is_empty() {
        errors.invalid(path, group, faults.join(","));
    } else if !group.contains('.') {
        errors.invalid(path, group, "should be a domain with at least one dot");
    }
}

/// What a version has for itself.
fn one(
    spec: &CustomResourceDefinitionSpec,
    version: &CustomResourceDefinitionVersion,
    path: &Path,
    strict: &definition::Strictness<'_>,
    errors: &mut Errors,
) {
    let faults = rules::is_dns1035_label(&version.name);
    if !faults.is_empty() {
        errors.invalid(&path.child("name"), version.name.as_str(), faults.join(","));
    }
    deprecation(version, &path.child("deprecationWarning"), errors);
    let all = &spec.versions;
    let own_schema = !shared(all, |v| v.schema.clone());
    if own_schema {
        schemas::check(version, &path.child("schema"), strict, errors);
    }
    if !shared(all, |v| v.subresources.clone()) {
        columns::subresources(version.subresources.as_ref(), &path.child("subresources"), errors);
    }
    if !shared(all, |v| v.additional_printer_columns.clone()) {
        columns::check(list(&version.additional_printer_columns), path, errors);
    }
    if !shared(all, |v| v.selectable_fields.clone()) {
        if own_schema {
            columns::selectable(version, &path.child("selectableFields"), errors);
        } else if !list(&version.selectable_fields).is_empty() {
            let why = "may only be set when `version.schema.openAPIV3Schema` is not included";
            errors.invalid(&path.child("selectableFields"), "", why);
        }
    }
}

/// What all versions have in common.
fn common(spec: &CustomResourceDefinitionSpec, path: &Path, strict: &definition::Strictness<'_>, errors: &mut Errors) {
    let Some(first) = spec.versions.first() else { return };
    let all = &spec.versions;
    let shared_schema = shared(all, |v| v.schema.clone());
    if shared_schema {
        let status = all.iter().any(|v| v.subresources.as_ref().is_some_and(|s| s.status.is_some()));
        schemas::check_one(first, status, &path.child("validation"), strict, errors);
    }
    if shared(all, |v| v.subresources.clone()) {
        columns::subresources(first.subresources.as_ref(), &path.child("subresources"), errors);
    }
    if shared(all, |v| v.additional_printer_columns.clone()) {
        columns::check(list(&first.additional_printer_columns), path, errors);
    }
    if shared(all, |v| v.selectable_fields.clone()) && !list(&first.selectable_fields).is_empty() {
        if shared_schema {
            columns::selectable(first, &path.child("selectableFields"), errors);
        } else {
            let why = "may only be set when validations.schema is included";
            errors.invalid(&path.child("selectableFields"), "", why);
        }
    }
}

fn required_names(spec: &CustomResourceDefinitionSpec, path: &Path, errors: &mut Errors) {
    let names = &spec.names;
    for (name, value) in [
        ("plural", names.plural.as_str()),
        ("singular", text(&names.singular)),
        ("kind", names.kind.as_str()),
        ("listKind", text(&names.list_kind)),
    ] {
        if value.is_empty() {
            errors.required(&path.child(name), "");
        }
    }
}

fn deprecation(version: &CustomResourceDefinitionVersion, path: &Path, errors: &mut Errors) {
    let Some(warning) = version.deprecation_warning.as_deref() else { return };
    if version.deprecated != Some(true) {
        return errors.invalid(path, warning, "can only be set for deprecated versions");
    }
    if warning.len() > 256 {
        errors.invalid(path, warning, "must be <= 256 characters long");
    }
    if warning.is_empty() {
        errors.invalid(path, warning, "must not be an empty string");
    }
    if let Some((index, _)) = warning.char_indices().find(|(_, c)| c.is_control()) {
        let why =
            format!("must only contain printable UTF-8 characters; non-printable character found at index {index}");
        errors.invalid(path, warning, why);
    }
}
