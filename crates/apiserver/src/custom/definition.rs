//! From a definition to the kinds that it has served: one for each version.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use nakhoda_api::kinds::apiextensions::{
    CustomResourceDefinition, CustomResourceDefinitionNames, CustomResourceDefinitionVersion,
};
use nakhoda_api::structural::Schema;
use nakhoda_api::structural::expressions::Expressions;
use nakhoda_api::{GroupVersionKind, Scope};

use super::conversion::{self, Conversion};
use super::names::{intern, intern_all};
use super::scale::Paths;
use super::strategy::Custom;
use super::{columns, names};
use crate::kind::{Info, NameRule, SCALE, STATUS, STATUS_ONLY, Served, Sub};
use crate::kinds::apiextensions::custom_resource_definition::{is_true, schema};
use crate::pipeline::Pipeline;

/// In discovery's order, which is another one than that of built-in kinds.
const VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// What can be done with objects whose kind is on its way out.
const LAST_VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "watch"];

/// The kinds of all versions that are served.
#[must_use]
pub fn served(
    crd: &CustomResourceDefinition,
    accepted: &CustomResourceDefinitionNames,
    pipeline: &Pipeline,
) -> Vec<Arc<Served>> {
    let schemas: BTreeMap<String, Arc<Schema>> = crd
        .spec
        .versions
        .iter()
        .map(|version| (version.name.clone(), Arc::new(schema(version).unwrap_or_default())))
        .collect();
    let schemas = Arc::new(schemas);
    let versions = crd.spec.versions.iter().filter(|version| version.served);
    versions.map(|version| Arc::new(one(crd, accepted, version, &schemas, pipeline))).collect()
}

fn one(
    crd: &CustomResourceDefinition,
    accepted: &CustomResourceDefinitionNames,
    version: &CustomResourceDefinitionVersion,
    schemas: &Arc<BTreeMap<String, Arc<Schema>>>,
    pipeline: &Pipeline,
) -> Served {
    let group = &crd.spec.group;
    let gvk = GroupVersionKind::new(group.as_str(), version.name.as_str(), accepted.kind.as_str());
    let subresources = version.subresources.as_ref();
    let status = subresources.is_some_and(|s| s.status.is_some());
    let scale = subresources.and_then(|s| s.scale.as_ref());
    let info = Info {
        gvk: gvk.clone(),
        plural: intern(&accepted.plural),
        singular: intern(accepted.singular.as_deref().unwrap_or_default()),
        short: intern_all(accepted.short_names.as_deref().unwrap_or_default()),
        categories: intern_all(accepted.categories.as_deref().unwrap_or_default()),
        scope: if crd.spec.scope == "Namespaced" { Scope::Namespaced } else { Scope::Cluster },
        verbs: if is_true(crd, "Terminating") { LAST_VERBS } else { VERBS },
        subresources: subs(status, scale.is_some()),
        private: &[],
        storage: intern(&storage(crd)),
        generation: true,
        create_on_update: false,
        unconditional_update: false,
        ttl: None,
        names: NameRule::Subdomain,
        virtual_: false,
        returns_deleted: false,
        orphans: false,
        left_behind: None,
        counted: &[],
        unshown: &[],
        resets: STATUS_ONLY,
        deprecated: deprecated(&gvk, version).map(|text| names::intern(&text)),
        list_kind: accepted.list_kind.as_deref().map(intern),
    };
    let stored = crd.spec.versions.iter().find(|version| version.storage).map_or("", |version| &version.name);
    let schema = schemas.get(&version.name).cloned().unwrap_or_default();
    let strategy = Custom {
        rules: Expressions::of(&schema),
        schema,
        published: version.schema.as_ref().and_then(|s| serde_json::to_value(s.open_api_v3_schema.as_ref()?).ok()),
        preserves: crd.spec.preserve_unknown_fields == Some(true),
        typing: OnceLock::new(),
        columns: columns::of(version.additional_printer_columns.as_deref()),
        selectable: version.selectable_fields.iter().flatten().map(|f| columns::field(&f.json_path)).collect(),
        has_status: status,
        scale: scale.map(Paths::of),
        conversion: (crd.spec.versions.len() > 1).then(|| Conversion::of(crd, &gvk, pipeline)).flatten(),
        slot: place(crd, version, stored),
        stored: GroupVersionKind::new(group.as_str(), stored, accepted.kind.as_str()),
        schemas: schemas.clone(),
        gvk,
    };
    Served { info, strategy: Box::new(strategy) }
}

/// Where items keep what they look like in a version: one stored as it is shown needs no place, unless a webhook
/// may have to convert it from what it was stored as.
fn place(crd: &CustomResourceDefinition, version: &CustomResourceDefinitionVersion, stored: &str) -> Option<u8> {
    let webhook = crd.spec.conversion.as_ref().is_some_and(|conversion| conversion.strategy == "Webhook");
    let mut kept = crd.spec.versions.iter().filter(|other| webhook || other.name != stored);
    conversion::slot(kept.position(|other| other.name == version.name)?)
}

/// Where the objects lie in etcd.
#[must_use]
pub fn storage(crd: &CustomResourceDefinition) -> String {
    format!("{}/{}", crd.spec.group, crd.spec.names.plural)
}

const fn subs(status: bool, scale: bool) -> &'static [Sub] {
    match (status, scale) {
        (false, false) => &[],
        (true, false) => &[STATUS],
        (false, true) => &[SCALE],
        (true, true) => &[STATUS, SCALE],
    }
}

fn deprecated(gvk: &GroupVersionKind, version: &CustomResourceDefinitionVersion) -> Option<String> {
    let said = version.deprecation_warning.clone();
    version.deprecated?.then(|| said.unwrap_or_else(|| format!("{} {} is deprecated", gvk.api_version(), gvk.kind)))
}
