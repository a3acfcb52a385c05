//! The paths of a resource, and the operations on them.

use super::names::{capital, component, group, list_gvk};
use super::{ResourceInfo, SubresourceInfo};
use crate::{GroupVersionKind, Scope};

/// A path with its operations.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) path: String,
    /// `name`, `namespace`.
    pub(super) parameters: Vec<&'static str>,
    pub(super) operations: Vec<Operation>,
}

/// One method of a path.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// `x-kubernetes-action`.
    pub(super) action: &'static str,
    pub(super) id: String,
    pub(super) tag: String,
    pub(super) gvk: GroupVersionKind,
    pub(super) query: &'static [Parameter],
    pub(super) body: Body,
    /// The component it answers with; `None` for a stream or a text.
    pub(super) answer: Option<String>,
}

/// What an operation takes.
#[derive(Debug, PartialEq)]
pub(super) enum Body {
    None,
    Object(String),
    Patch,
    DeleteOptions,
}

/// Name and type.
pub(super) type Parameter = (&'static str, &'static str);

const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
const WRITE: &[Parameter] = &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")];
const PATCH: &[Parameter] =
    &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean")];
const DELETE: &[Parameter] = &[
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];
const LIST: &[Parameter] = &[
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const DELETE_COLLECTION: &[Parameter] = &[
    ("continue", "string"),
    ("dryRun", "string"),
    ("fieldSelector", "string"),
    ("gracePeriodSeconds", "integer"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("timeoutSeconds", "integer"),
];
/// Subresources that open a stream.
const STREAMS: [&str; 4] = ["attach", "exec", "portforward", "proxy"];

/// All paths of a resource.
pub(super) fn of(resource: &ResourceInfo) -> Vec<Path> {
    let root = if resource.gvk.group.is_empty() {
        format!("/api/{}", resource.gvk.version)
    } else {
        format!("/apis/{}/{}", resource.gvk.group, resource.gvk.version)
    };
    let is_namespaced = resource.scope == Scope::Namespaced;
    let within = if is_namespaced { "/namespaces/{namespace}" } else { "" };
    let collection = format!("{root}{within}/{}", resource.plural);
    let namespace = if is_namespaced { vec!["namespace"] } else { vec![] };
    let named = [vec!["name"], namespace.clone()].concat();
    let mut paths = Vec::new();
    if is_namespaced && has(&resource.verbs, "list") {
        let everywhere = Maker { suffix: "ForAllNamespaces", ..Maker::new(resource, false) };
        let path = format!("{root}/{}", resource.plural);
        paths.push(Path { path, parameters: vec![], operations: vec![everywhere.verb("list")] });
    }
    let maker = Maker::new(resource, is_namespaced);
    let make = |verbs: &[&str]| verbs.iter().filter(|v| has(&resource.verbs, v)).map(|v| maker.verb(v)).collect();
    paths.push(Path {
        path: collection.clone(),
        parameters: namespace,
        operations: make(&["list", "create", "deletecollection"]),
    });
    let item = format!("{collection}/{{name}}");
    paths.push(Path {
        path: item.clone(),
        parameters: named.clone(),
        operations: make(&["get", "update", "delete", "patch"]),
    });
    paths.extend(resource.subresources.iter().map(|sub| Path {
        path: format!("{item}/{}", sub.name),
        parameters: named.clone(),
        operations: sub.verbs.iter().map(|verb| maker.sub(sub, verb)).collect(),
    }));
    paths.retain(|path| !path.operations.is_empty());
    paths
}

fn has(verbs: &[String], verb: &str) -> bool {
    verbs.iter().any(|v| v == verb)
}

/// Makes the operations of a resource.
struct Maker<'a> {
    resource: &'a ResourceInfo,
    namespaced: &'static str,
    suffix: &'static str,
}

// === impl Maker ===

impl<'a> Maker<'a> {
    const fn new(resource: &'a ResourceInfo, is_namespaced: bool) -> Self {
        Self { resource, namespaced: if is_namespaced { "Namespaced" } else { "" }, suffix: "" }
    }

    fn verb(&self, verb: &str) -> Operation {
        let gvk = &self.resource.gvk;
        let object = component(gvk);
        let mut operation = self.plain(verb, gvk, &object, "");
        match operation.action {
            "list" => operation.answer = Some(component(&list_gvk(self.resource))),
            "delete" | "deletecollection" => operation.answer = Some(STATUS.into()),
            _ => {}
        }
        operation
    }

    fn sub(&self, sub: &SubresourceInfo, verb: &str) -> Operation {
        let mut operation = self.plain(verb, &sub.gvk, &component(&sub.gvk), &capital(&sub.name));
        if STREAMS.contains(&sub.name.as_str()) {
            operation.action = "connect";
            operation.id = format!("connect{}{}", capital(operation.method), operation.id);
            (operation.body, operation.answer, operation.query) = (Body::None, None, &[]);
        } else if sub.name == "log" {
            operation.answer = None;
        }
        operation
    }

    fn plain(&self, verb: &str, gvk: &GroupVersionKind, object: &str, sub: &str) -> Operation {
        let (method, action, word, query, body) = match verb {
            "list" => ("get", "list", "list", LIST, Body::None),
            "create" => ("post", "post", "create", WRITE, Body::Object(object.into())),
            "update" => ("put", "put", "replace", WRITE, Body::Object(object.into())),
            "patch" => ("patch", "patch", "patch", PATCH, Body::Patch),
            "delete" => ("delete", "delete", "delete", DELETE, Body::DeleteOptions),
            "deletecollection" => ("delete", "deletecollection", "delete", DELETE_COLLECTION, Body::DeleteOptions),
            _ => ("get", "get", "read", &[] as &[Parameter], Body::None),
        };
        let own = &self.resource.gvk;
        let collection = if verb == "deletecollection" { "Collection" } else { "" };
        let group = group(&own.group);
        let id = format!(
            "{word}{}{}{collection}{}{}{sub}{}",
            capital(&group),
            capital(&own.version),
            self.namespaced,
            own.kind,
            self.suffix
        );
        let tag = format!("{group}_{}", own.version);
        Operation { method, action, id, tag, gvk: gvk.clone(), query, body, answer: Some(object.into()) }
    }
}
