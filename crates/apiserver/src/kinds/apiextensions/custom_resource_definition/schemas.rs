//! The schemas of versions, and what an earlier form of them forgives.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::{CustomResourceDefinition, CustomResourceDefinitionVersion};
use nakhoda_api::structural::{Schema, definition, expressions};

use super::versions::schema;

pub(super) fn strictness<'a>(
    new: &CustomResourceDefinition,
    old: Option<&CustomResourceDefinition>,
) -> definition::Strictness<'a> {
    let stored: Vec<Schema> = old.into_iter().flat_map(|old| old.spec.versions.iter().filter_map(schema)).collect();
    let no_old = |odd: &dyn Fn(&Schema) -> bool| !stored.iter().any(odd);
    definition::Strictness {
        types: no_old(&definition::has_odd_types),
        structural: no_old(&|schema| !definition::is_structural(schema))
            || new.spec.preserve_unknown_fields != Some(true),
        pruned_defaults: no_old(&|schema| {
            let path = Path::default();
            let all = definition::check_defaults(schema, &path, true);
            all.iter().count() > definition::check_defaults(schema, &path, false).iter().count()
        }),
        atomic_sets: no_old(&definition::has_open_sets),
        map_keys: no_old(&definition::has_open_keys),
        rules: Some(&expressions::judge),
    }
}

/// The schema of one version.
pub(super) fn check(
    version: &CustomResourceDefinitionVersion,
    path: &Path,
    strict: &definition::Strictness<'_>,
    errors: &mut Errors,
) {
    let status = version.subresources.as_ref().is_some_and(|s| s.status.is_some());
    check_one(version, status, path, strict, errors);
}

/// The schema of a version; `status` says whether objects have one of their own.
pub(super) fn check_one(
    version: &CustomResourceDefinitionVersion,
    status: bool,
    path: &Path,
    strict: &definition::Strictness<'_>,
    errors: &mut Errors,
) {
    if let Some(schema) = schema(version) {
        errors.extend(definition::check(&schema, path, status, strict));
    }
}
