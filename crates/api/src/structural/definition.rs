//! Whether a schema may stand in a CustomResourceDefinition: it must be structural, use nothing that cannot be
//! kept, and its defaults must be values of itself (`pkg/apis/apiextensions/validation`, `pkg/apiserver/schema`).

mod allowed;
mod completeness;
mod defaults;
mod lists;
mod rules;
mod structure;

pub use defaults::check as check_defaults;
pub use structure::check as check_structure;

use super::{Items, Schema};
use crate::field::{Errors, Path};

/// Judges the CEL rules of one schema.
pub type Rules<'a> = &'a dyn Fn(&Schema, &Path, &Place<'_>, &mut Errors);

/// What an earlier form of the definition forgives.
#[derive(Clone, Copy)]
pub struct Strictness<'a> {
    /// Types are of the known ones.
    pub types: bool,
    /// Schemas are structural.
    pub structural: bool,
    /// Defaults have no unknown fields.
    pub pruned_defaults: bool,
    /// Items of sets are atomic.
    pub atomic_sets: bool,
    /// Keys of maps are there, and no item is null.
    pub map_keys: bool,
    /// Compiles rules; without, they are checked for their form only.
    pub rules: Option<Rules<'a>>,
}

/// Where a schema stands within its definition.
#[derive(Clone)]
pub struct Place<'a> {
    /// The whole schema is that of the objects.
    pub root: bool,
    /// Why there may be no default here.
    pub no_default: Option<&'a str>,
    /// Within metadata or type of an object.
    pub in_meta: bool,
    /// The first schema on the way whose old value cannot be found again.
    pub uncorrelated: Option<Path>,
    /// Within `allOf` and the like, where no rules may stand.
    pub nested: bool,
}

/// Faults of a schema that stands at `path`. `status` says whether the objects have a status of its own.
#[must_use]
pub fn check(schema: &Schema, path: &Path, status: bool, strict: &Strictness<'_>) -> Errors {
    let mut errors = Errors::default();
    if status {
        check_root(schema, path, &mut errors);
    }
    if schema.nullable {
        errors.forbidden(&path.child("openAPIV3Schema.nullable"), "nullable cannot be true at the root");
    }
    let path = path.child("openAPIV3Schema");
    let mut unreadable = None;
    let mut rules = None;
    if strict.structural {
        if let Some(why) = unsupported(schema) {
            unreadable = Some(why);
        } else {
            let mut faults = structure::check(schema, &path);
            if faults.is_empty() {
                faults = defaults::check(schema, &path, strict.pruned_defaults);
            }
            if faults.is_empty() {
                rules = strict.rules;
            }
            errors.extend(faults);
        }
    }
    let place = Place { root: true, no_default: None, in_meta: false, uncorrelated: None, nested: false };
    let (faults, of_rules) = allowed::check(schema, &path, &place, &Strictness { rules, ..*strict });
    errors.extend(faults);
    errors.extend(of_rules);
    if let (true, Some(why)) = (errors.is_empty(), unreadable) {
        errors.invalid(&path, "", why);
    }
    errors
}

/// Fields that may stand at the root beside a status of its own, as Go names them.
const AT_ROOT: &str = "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";

fn check_root(schema: &Schema, path: &Path, errors: &mut Errors) {
    if !schema.kind.is_empty() && schema.kind != "object" {
        let why =
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        return errors.invalid(&path.child("openAPIV3Schema.type"), schema.kind.as_str(), why);
    }
    let kept = Schema {
        nullable: false,
        default: None,
        allowed: Vec::new(),
        max_properties: None,
        min_properties: None,
        all_of: Vec::new(),
        any_of: Vec::new(),
        one_of: Vec::new(),
        not: None,
        additional_properties: None,
        embedded: false,
        int_or_string: false,
        map_keys: Vec::new(),
        list_type: None,
        map_type: None,
        ..schema.clone()
    };
    if kept != *schema {
        let why =
            format!("only {AT_ROOT} fields are allowed at the root of the schema if the status subresource is enabled");
        errors.invalid(&path.child("openAPIV3Schema"), "", why);
    }
}

/// Why a schema cannot be read as a structural one at all.
#[must_use]
pub fn unsupported(schema: &Schema) -> Option<String> {
    let refused = &schema.refused;
    let name = match () {
        () if !refused.id.is_empty() => "id",
        () if !refused.language.is_empty() => "schema",
        () if refused.reference.as_deref().is_some_and(|r| !r.is_empty()) => "$ref",
        () if !refused.pattern_properties.is_empty() => "patternProperties",
        () if refused.dependencies.as_ref().is_some_and(|d| !d.is_empty()) => "dependencies",
        () if refused.additional_items.is_some() => "additionalItems",
        () if !refused.definitions.is_empty() => "definitions",
        () if matches!(schema.items, Some(Items::Each(_))) => {
            return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".into());
        }
        () if schema.preserve == Some(false) => {
            return Some("internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined".into());
        }
        () => return schema.children().find_map(unsupported),
    };
    Some(format!("OpenAPIV3Schema '{name}' is not supported"))
}

/// Whether a schema is no structural one: what was stored before is not judged anew.
#[must_use]
pub fn is_structural(schema: &Schema) -> bool {
    unsupported(schema).is_none() && structure::check(schema, &Path::default()).is_empty()
}

/// Whether sets have items that are not atomic.
#[must_use]
pub fn has_open_sets(schema: &Schema) -> bool {
    schema.has(&|schema| !lists::set_items(schema, &Path::default()).is_empty())
}

/// Whether keys of maps may be missing.
#[must_use]
pub fn has_open_keys(schema: &Schema) -> bool {
    schema.has(&|schema| !lists::keys(schema, &Path::default()).is_empty())
}

/// Whether a type is none of those that there are.
#[must_use]
pub fn has_odd_types(schema: &Schema) -> bool {
    schema.has(&|schema| !schema.kind.is_empty() && !allowed::TYPES.contains(&schema.kind.as_str()))
}

#[cfg(test)]
mod tests;
