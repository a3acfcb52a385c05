//! CustomResourceDefinition: describes a kind that is served beside the built-in ones (see [`crate::custom`]).
//!
//! What its versions have in common upstream keeps once for all, and so names it in faults: `spec.validation`
//! rather than `spec.versions[0].schema`.

mod approval;
mod columns;
mod conversion;
mod names;
mod schemas;
mod spec;
mod stored;
mod versions;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::{
    CustomResourceConversion, CustomResourceDefinition, CustomResourceDefinitionCondition,
    CustomResourceDefinitionStatus,
};
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::{Scope, structural};

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{IMMUTABLE, list, text};

pub use approval::{Approval, approval, is_protected};
pub use versions::schema;

/// The kind.
pub struct CustomResourceDefinitions;

/// Stands until all objects of the kind are gone.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

impl Kind for CustomResourceDefinitions {
    type Object = CustomResourceDefinition;

    fn info() -> Info {
        Info {
            short: &["crd", "crds"],
            categories: &["api-extensions"],
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            storage: "apiextensions.k8s.io/customresourcedefinitions",
            generation: true,
            unconditional_update: false,
            ..Info::of::<CustomResourceDefinition>(
                "customresourcedefinitions",
                "customresourcedefinition",
                Scope::Cluster,
            )
        }
    }

    fn default(crd: &mut CustomResourceDefinition) {
        let names = &mut crd.spec.names;
        if text(&names.singular).is_empty() {
            names.singular = Some(names.kind.to_lowercase());
        }
        if text(&names.list_kind).is_empty() && !names.kind.is_empty() {
            names.list_kind = Some(format!("{}List", names.kind));
        }
        let conversion = crd.spec.conversion.get_or_insert_with(|| CustomResourceConversion {
            strategy: "None".into(),
            ..CustomResourceConversion::default()
        });
        if let Some(service) = service(conversion) {
            service.port.get_or_insert(443);
        }
        let status = crd.status.get_or_insert_default();
        if list(&status.stored_versions).is_empty() {
            let stored = crd.spec.versions.iter().find(|version| version.storage);
            status.stored_versions = stored.map(|version| vec![version.name.clone()]);
        }
    }

    fn prepare(cx: &Cx, new: &mut CustomResourceDefinition, old: Option<&CustomResourceDefinition>) {
        if cx.subresource.is_empty() {
            new.status = old.map_or_else(|| Some(CustomResourceDefinitionStatus::default()), |old| old.status.clone());
            let stored = new.spec.versions.iter().find(|version| version.storage).map(|v| v.name.clone());
            let known = new.status.get_or_insert_default().stored_versions.get_or_insert_default();
            known.extend(stored.filter(|name| !known.contains(name)).into_iter().collect::<Vec<_>>());
        }
    }

    fn validate(
        cx: &Cx,
        new: &CustomResourceDefinition,
        old: Option<&CustomResourceDefinition>,
        errors: &mut Errors,
    ) {
        let status = new.status.clone().unwrap_or_default();
        let accepted = Path::new("status").child("acceptedNames");
        if cx.subresource == "status" {
            return names::check(&status.accepted_names.unwrap_or_default(), &accepted, errors);
        }
        let wanted = format!("{}.{}", new.spec.names.plural, new.spec.group);
        let name = new.metadata.name.clone().unwrap_or_default();
        if old.is_none() && name != wanted {
            let why = "must be spec.names.plural+\".\"+spec.group";
            errors.invalid(&Path::new("metadata").child("name"), name, why);
        }
        spec::check(new, old, &Path::new("spec"), errors);
        if let Some(old) = old {
            immutable(new, old, errors);
        }
        names::check(&status.accepted_names.unwrap_or_default(), &accepted, errors);
        stored::check(status.stored_versions.as_ref(), &new.spec.versions, errors);
        approval::check(new, old, errors);
        let was = old.is_some_and(|old| old.spec.preserve_unknown_fields == Some(true));
        if new.spec.preserve_unknown_fields == Some(true) && !was {
            let why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
            errors.invalid(&Path::new("spec").child("preserveUnknownFields"), true, why);
        }
    }

    fn warnings(new: &CustomResourceDefinition, old: Option<&CustomResourceDefinition>) -> Vec<String> {
        let known = old.map(odd_formats).unwrap_or_default();
        let new = odd_formats(new).into_iter().filter(|format| !known.contains(format));
        new.map(|format| format!("unrecognized format {format:?}")).collect()
    }

    fn linger(crd: &mut CustomResourceDefinition) -> bool {
        let finalizers = crd.metadata.finalizers.get_or_insert_default();
        let cleans = finalizers.iter().any(|finalizer| finalizer == FINALIZER);
        if crd.metadata.deletion_timestamp.is_some() {
            return cleans;
        }
        if !cleans {
            finalizers.push(FINALIZER.into());
        }
        let pending = CustomResourceDefinitionCondition {
            type_: "Terminating".into(),
            status: "True".into(),
            reason: Some("InstanceDeletionPending".into()),
            message: Some(
                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon".into(),
            ),
            // the deletion has no clock of its own here; who follows definitions writes the condition again at once
            last_transition_time: Some(Time(jiff::Timestamp::now())),
            ..CustomResourceDefinitionCondition::default()
        };
        crd.status.get_or_insert_default().conditions.get_or_insert_default().push(pending);
        true
    }

    fn columns() -> Columns<CustomResourceDefinition> {
        Columns::<CustomResourceDefinition>::named().add("Created At", "date", 0, |crd, _| {
            let created = crd.metadata.creation_timestamp.as_ref();
            created.map(|time| nakhoda_api::time::now_rfc3339(time.0)).into()
        })
    }
}

fn service(
    conversion: &mut CustomResourceConversion,
) -> Option<&mut nakhoda_api::kinds::apiextensions::ServiceReference> {
    conversion.webhook.as_mut()?.client_config.as_mut()?.service.as_mut()
}

/// What the storage depends on stays as it is.
fn immutable(new: &CustomResourceDefinition, old: &CustomResourceDefinition, errors: &mut Errors) {
    let path = Path::new("spec");
    let mut same = |path: Path, new: &str, old: &str| {
        if new != old {
            errors.invalid(&path, new, IMMUTABLE);
        }
    };
    if is_established(old) {
        same(path.child("scope"), &new.spec.scope, &old.spec.scope);
        same(path.child("names").child("kind"), &new.spec.names.kind, &old.spec.names.kind);
    }
    same(path.child("group"), &new.spec.group, &old.spec.group);
    same(path.child("names").child("plural"), &new.spec.names.plural, &old.spec.names.plural);
}

/// Whether the objects are served.
#[must_use]
pub fn is_established(crd: &CustomResourceDefinition) -> bool {
    is_true(crd, "Established")
}

/// Whether a condition is true.
#[must_use]
pub fn is_true(crd: &CustomResourceDefinition, condition: &str) -> bool {
    let conditions = crd.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|c| c.type_ == condition && c.status == "True")
}

/// Formats that mean nothing, in the order in which they stand.
fn odd_formats(crd: &CustomResourceDefinition) -> Vec<String> {
    let schemas: Vec<_> = crd.spec.versions.iter().filter_map(schema).collect();
    let shared = schemas.len() == crd.spec.versions.len() && schemas.windows(2).all(|pair| pair[0] == pair[1]);
    let count = if shared { 1 } else { schemas.len() };
    let found = std::cell::RefCell::new(Vec::new());
    for schema in &schemas[..count.min(schemas.len())] {
        schema.has(&|schema| {
            if !schema.format.is_empty() && !structural::format::is_supported(&schema.kind, &schema.format) {
                found.borrow_mut().push(schema.format.clone());
            }
            false
        });
    }
    found.into_inner()
}

#[cfg(test)]
mod tests;
