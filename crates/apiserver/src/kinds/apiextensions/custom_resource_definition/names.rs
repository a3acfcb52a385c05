//! Names of the kind.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::CustomResourceDefinitionNames;
use nakhoda_api::names::is_dns1035_label;

use crate::rules::check::{list, text};

pub(super) fn check(names: &CustomResourceDefinitionNames, path: &Path, errors: &mut Errors) {
    label(&names.plural, &path.child("plural"), errors);
    label(text(&names.singular), &path.child("singular"), errors);
    cased(&names.kind, &path.child("kind"), errors);
    let list_kind = text(&names.list_kind);
    cased(list_kind, &path.child("listKind"), errors);
    for (index, name) in list(&names.short_names).iter().enumerate() {
        named(name, &path.child("shortNames").index(index), errors);
    }
    if !names.kind.is_empty() && names.kind == list_kind {
        errors.invalid(&path.child("listKind"), list_kind, "kind and listKind may not be the same");
    }
    for (index, name) in list(&names.categories).iter().enumerate() {
        named(name, &path.child("categories").index(index), errors);
    }
}

fn named(name: &str, path: &Path, errors: &mut Errors) {
    let faults = is_dns1035_label(name);
    if !faults.is_empty() {
        errors.invalid(path, name, faults.join(","));
    }
}

fn label(name: &str, path: &Path, errors: &mut Errors) {
    if !name.is_empty() {
        named(name, path, errors);
    }
}

fn cased(name: &str, path: &Path, errors: &mut Errors) {
    let faults = is_dns1035_label(&name.to_lowercase());
    if !name.is_empty() && !faults.is_empty() {
        let why = format!("may have mixed case, but should otherwise match: {}", faults.join(","));
        errors.invalid(path, name, why);
    }
}
