//! `OpenAPI` documents, made from the field table and a list of what is served.
//!
//! They are what `kubectl explain`, client-side validation and the strategic merge of `kubectl apply`
//! read. Schemas have descriptions, operations have none; the long deprecated `/watch/` paths are absent.

mod components;
mod custom;
mod gnostic;
mod names;
mod operations;
mod render;
mod schema;

use serde_json::{Map, Value, json};

use crate::{GroupVersion, GroupVersionKind, Scope};

/// A resource that is served.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceInfo {
    /// Group, version and kind of its objects.
    pub gvk: GroupVersionKind,
    /// The plural name in paths.
    pub plural: String,
    /// The kind of its lists.
    pub list_kind: String,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
    /// As discovery lists them.
    pub verbs: Vec<String>,
    /// What stands below its objects.
    pub subresources: Vec<SubresourceInfo>,
    /// The schema of a custom resource, as its definition has it; built-in kinds have theirs in the table.
    pub schema: Option<Value>,
}

/// A subresource that is served.
#[derive(Clone, Debug, PartialEq)]
pub struct SubresourceInfo {
    /// For example `status`.
    pub name: String,
    /// The kind of its body: that of the object, `Scale`, `Eviction`, …
    pub gvk: GroupVersionKind,
    /// As discovery lists them.
    pub verbs: Vec<String>,
}

/// The version of Kubernetes that documents tell.
pub const VERSION: &str = "v1.37.0";

/// The two languages in which documents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    V2,
    V3,
}

/// The `OpenAPI` v3 document of a group and version.
#[must_use]
pub fn v3(version: &GroupVersion, resources: &[ResourceInfo]) -> Value {
    let served: Vec<&ResourceInfo> = resources.iter().filter(|r| r.gvk.group_version() == *version).collect();
    let mut document = Map::new();
    document.insert("openapi".into(), json!("3.0.0"));
    document.insert("info".into(), info());
    document.insert("paths".into(), render::paths(&served, Dialect::V3));
    let schemas = components::of(&served, Dialect::V3);
    let security = json!({"BearerToken": bearer()});
    document.insert("components".into(), json!({"schemas": schemas, "securitySchemes": security}));
    Value::Object(document)
}

/// The `OpenAPI` v2 document of all that is served.
#[must_use]
pub fn v2(resources: &[ResourceInfo]) -> Value {
    let served: Vec<&ResourceInfo> = resources.iter().collect();
    let mut document = Map::new();
    document.insert("swagger".into(), json!("2.0"));
    document.insert("info".into(), info());
    document.insert("paths".into(), render::paths(&served, Dialect::V2));
    document.insert("definitions".into(), components::of(&served, Dialect::V2));
    document.insert("securityDefinitions".into(), json!({"BearerToken": bearer()}));
    document.insert("security".into(), json!([{"BearerToken": []}]));
    Value::Object(document)
}

/// The v2 document in the protobuf form that clients ask for (`com.github.proto-openapi.spec.v2.v1.0`).
#[must_use]
pub fn v2_protobuf(resources: &[ResourceInfo]) -> Vec<u8> {
    gnostic::document(&v2(resources))
}

fn info() -> Value {
    json!({"title": "Kubernetes", "version": VERSION})
}

fn bearer() -> Value {
    json!({"type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header"})
}

#[cfg(test)]
mod tests;
