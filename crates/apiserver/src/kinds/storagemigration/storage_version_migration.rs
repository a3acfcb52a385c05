//! StorageVersionMigration: asks that all objects of a resource are written anew.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::storagemigration::{StorageVersionMigration, StorageVersionMigrationSpec, StorageVersionMigrationStatus};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{IMMUTABLE, immutable, keep_status, list, text};

/// The kind.
pub struct StorageVersionMigrations;

impl Kind for StorageVersionMigrations {
    type Object = StorageVersionMigration;

    fn info() -> Info {
        let (plural, singular) = ("storageversionmigrations", "storageversionmigration");
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            generation: true,
            unconditional_update: false,
            ..Info::of::<StorageVersionMigration>(plural, singular, Scope::Cluster)
        }
    }

    fn prepare(cx: &Cx, new: &mut Self::Object, old: Option<&Self::Object>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
    }

    fn validate(cx: &Cx, new: &Self::Object, old: Option<&Self::Object>, errors: &mut Errors) {
        let none = StorageVersionMigrationStatus::default();
        if cx.subresource == "status" {
            let old = old.and_then(|old| old.status.as_ref()).unwrap_or(&none);
            return status(errors, new.status.as_ref().unwrap_or(&none), old);
        }
        spec(errors, &Path::new("spec.resource"), new.spec.as_ref().unwrap_or(&StorageVersionMigrationSpec::default()));
        if let Some(old) = old {
            immutable(errors, &Path::new("spec"), &new.spec, &old.spec);
        }
    }

    fn columns() -> Columns<StorageVersionMigration> {
        Columns::<StorageVersionMigration>::none()
            .text("Name", |m, _| text(&m.metadata.name).into())
            .text("Resource", |m, _| resource(m).into())
            .text("Status", |m, _| state(m).into())
    }
}

fn spec(errors: &mut Errors, path: &Path, spec: &StorageVersionMigrationSpec) {
    let (at, resource) = (path.child("resource"), spec.resource.resource.as_str());
    let faults = names::is_dns1035_label(resource);
    if resource.is_empty() {
        errors.required(&at, "resource is required to be set");
    } else if !faults.is_empty() {
        errors.invalid(&at, resource, faults.join(","));
    }
    let (group, faults) = (spec.resource.group.as_str(), names::is_dns1123_subdomain(&spec.resource.group));
    if !group.is_empty() && !faults.is_empty() {
        errors.invalid(&path.child("group"), group, faults.join(","));
    }
}

fn status(errors: &mut Errors, new: &StorageVersionMigrationStatus, old: &StorageVersionMigrationStatus) {
    let (at, version, before) = (Path::new("status.resourceVersion"), text(&new.resource_version), text(&old.resource_version));
    if !version.is_empty() && !version.bytes().all(|b| b.is_ascii_digit()) {
        errors.invalid(&at, version, "resource version is not well formed");
    }
    if !before.is_empty() && version != before {
        errors.invalid(&at, version, IMMUTABLE);
    }
}

fn resource(migration: &StorageVersionMigration) -> String {
    let Some(spec) = &migration.spec else { return String::new() };
    match spec.resource.group.as_str() {
        "" => spec.resource.resource.clone(),
        group => format!("{}.{group}", spec.resource.resource),
    }
}

fn state(migration: &StorageVersionMigration) -> String {
    let conditions = migration.status.as_ref().map(|status| list(&status.conditions)).unwrap_or_default();
    let last = conditions.iter().rfind(|condition| {
        condition.status == "True" && ["Running", "Failed", "Succeeded"].contains(&condition.type_.as_str())
    });
    last.map_or_else(|| "Unknown".into(), |condition| condition.type_.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn a_migration_names_a_resource() {
        let named = json!({"metadata": {"name": "a"}, "spec": {"resource": {"group": "apps", "resource": "deployments"}}});
        assert_eq!(create::<StorageVersionMigrations>(named.clone()), "");
        assert_eq!(row::<StorageVersionMigrations>(named), ["a", "deployments.apps", "Unknown"]);
        let told = create::<StorageVersionMigrations>(json!({"spec": {"resource": {}}}));
        assert_eq!(told, "spec.resource.resource: Required value: resource is required to be set");
    }
}
