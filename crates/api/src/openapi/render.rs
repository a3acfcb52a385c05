//! Paths and operations as JSON, in either dialect.

use serde_json::{Map, Value, json};

use super::components::{EXTENSION, PATCH, extension};
use super::operations::{self, Body, Operation, Parameter, Path};
use super::{Dialect, ResourceInfo, names};
use crate::patch::PatchKind;
use crate::wire::Media;

const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
const PATCHES: [PatchKind; 4] = [PatchKind::Json, PatchKind::Merge, PatchKind::Strategic, PatchKind::Apply];
const MEDIA: [Media; 3] = [Media::Json, Media::Yaml, Media::Protobuf];

/// The `paths` of a document.
pub(super) fn paths(resources: &[&ResourceInfo], dialect: Dialect) -> Value {
    let mut paths: Vec<(String, Value)> = Vec::new();
    for resource in resources {
        let is_custom = resource.schema.is_some();
        paths.extend(operations::of(resource).into_iter().map(|p| (p.path.clone(), path(&p, dialect, is_custom))));
    }
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(Map::from_iter(paths))
}

fn path(path: &Path, dialect: Dialect, is_custom: bool) -> Value {
    let mut out = Map::new();
    for operation in &path.operations {
        out.insert(operation.method.into(), self::operation(operation, dialect, is_custom));
    }
    let mut parameters: Vec<Value> = path.parameters.iter().map(|name| in_path(name, dialect)).collect();
    parameters.push(in_query(&("pretty", "string"), dialect));
    out.insert("parameters".into(), Value::Array(parameters));
    Value::Object(out)
}

fn operation(operation: &Operation, dialect: Dialect, is_custom: bool) -> Value {
    let mut out = Map::new();
    out.insert("tags".into(), json!([operation.tag]));
    out.insert("operationId".into(), json!(operation.id));
    let mut parameters: Vec<Value> = operation.query.iter().map(|p| in_query(p, dialect)).collect();
    if dialect == Dialect::V2 {
        out.insert("schemes".into(), json!(["https"]));
        out.insert("consumes".into(), json!(consumed(&operation.body, is_custom)));
        out.insert("produces".into(), json!(MEDIA.map(Media::mime)));
        if let Some((component, required)) = body(&operation.body) {
            let schema = schema(component, dialect);
            parameters.insert(0, json!({"name": "body", "in": "body", "required": required, "schema": schema}));
        }
    } else if let Some((component, required)) = body(&operation.body) {
        let schema = schema(component, dialect);
        let content = consumed(&operation.body, is_custom).into_iter().map(|m| (m.into(), json!({"schema": schema})));
        out.insert("requestBody".into(), json!({"content": Map::from_iter(content), "required": required}));
    }
    if !parameters.is_empty() {
        out.insert("parameters".into(), Value::Array(parameters));
    }
    out.insert("responses".into(), responses(operation, dialect));
    out.insert("x-kubernetes-action".into(), json!(operation.action));
    out.insert(EXTENSION.into(), extension(&operation.gvk));
    Value::Object(out)
}

fn responses(operation: &Operation, dialect: Dialect) -> Value {
    let answer = |text: &str| {
        let mut out = Map::from_iter([("description".to_owned(), json!(text))]);
        let schema = match &operation.answer {
            Some(component) => schema(component, dialect),
            None => json!({"type": "string"}),
        };
        match dialect {
            Dialect::V2 => drop(out.insert("schema".into(), schema)),
            Dialect::V3 => {
                let media: Vec<&str> = match &operation.answer {
                    Some(_) => MEDIA.map(Media::mime).to_vec(),
                    None => vec!["*/*"],
                };
                let content = media.into_iter().map(|m| (m.into(), json!({"schema": schema})));
                out.insert("content".into(), Value::Object(content.collect()));
            }
        }
        Value::Object(out)
    };
    let mut out = Map::new();
    out.insert("200".into(), answer("OK"));
    if matches!(operation.action, "post" | "put" | "patch") {
        out.insert("201".into(), answer("Created"));
    }
    if matches!(operation.action, "post" | "delete") {
        out.insert("202".into(), answer("Accepted"));
    }
    out.insert("401".into(), json!({"description": "Unauthorized"}));
    Value::Object(out)
}

fn body(body: &Body) -> Option<(&str, bool)> {
    match body {
        Body::None => None,
        Body::Object(component) => Some((component, true)),
        Body::Patch => Some((PATCH, true)),
        Body::DeleteOptions => Some((DELETE_OPTIONS, false)),
    }
}

/// Custom resources have no strategic merge.
fn consumed(body: &Body, is_custom: bool) -> Vec<&'static str> {
    if *body != Body::Patch {
        return vec!["*/*"];
    }
    let offered = PATCHES.into_iter().filter(|kind| !(is_custom && *kind == PatchKind::Strategic));
    offered.map(PatchKind::mime).collect()
}

fn schema(component: &str, dialect: Dialect) -> Value {
    json!({"$ref": names::reference(component, dialect)})
}

fn in_query((name, ty): &Parameter, dialect: Dialect) -> Value {
    match dialect {
        Dialect::V2 => json!({"name": name, "in": "query", "type": ty, "uniqueItems": true}),
        Dialect::V3 => json!({"name": name, "in": "query", "schema": {"type": ty, "uniqueItems": true}}),
    }
}

fn in_path(name: &str, dialect: Dialect) -> Value {
    match dialect {
        Dialect::V2 => json!({"name": name, "in": "path", "required": true, "type": "string", "uniqueItems": true}),
        Dialect::V3 => {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}})
        }
    }
}
