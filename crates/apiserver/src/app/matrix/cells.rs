//! What is asked: every resource and subresource that is served, by every verb, in two namespaces and in all.

use std::fmt;

use nakhoda_api::Scope;

use crate::kind::{Info, Served};
use crate::pipeline::Pipeline;

/// One question.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) verb: &'static str,
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: &'static str,
    pub(super) sub: &'static str,
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) fields: &'static str,
    /// Whether it is asked by Connect.
    pub(super) stream: bool,
}

const ON_COLLECTIONS: &[&str] = &["create", "deletecollection", "list", "watch"];
const ON_OBJECTS: &[&str] = &["get", "update", "patch", "delete"];
const ON_PARTS: &[&str] = &["get", "create", "update", "patch", "delete"];
/// Subresources of the core group that are streams.
const STREAMS: &[&str] = &["attach", "exec", "log", "portforward", "proxy", "archives", "images"];

/// All questions about resources.
pub(super) fn all(pipeline: &Pipeline) -> Vec<Cell> {
    pipeline.kinds().all().iter().flat_map(|kind| about(kind)).collect()
}

/// All questions about paths.
pub(super) fn paths() -> impl Iterator<Item = (&'static str, &'static str)> {
    const PATHS: &[&str] = &[
        "/",
        "/api",
        "/api/v1",
        "/apis",
        "/apis/apps",
        "/apis/apps/v1",
        "/version",
        "/healthz",
        "/healthz/etcd",
        "/livez",
        "/livez/ping",
        "/readyz",
        "/metrics",
        "/metrics/slis",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/apps/v1",
        "/.well-known/openid-configuration",
        "/openid/v1/jwks",
        "/logs",
        "/logs/x",
        "/debug/pprof",
        "/debug/flags/v",
        "/nothing",
        "/Metrics",
        "/healthz/../metrics",
        "/version/../metrics",
        "/healthz%2f..%2fmetrics",
        "/apis/../metrics",
        "/ui",
        "/statusz",
        "/flagz",
        "/configz",
    ];
    PATHS.iter().flat_map(|path| ["GET", "POST", "DELETE"].map(|method| (method, *path)))
}

fn about(kind: &Served) -> Vec<Cell> {
    let info = &kind.info;
    let mut cells = Vec::new();
    for (namespace, name) in places(info) {
        cells.extend(ON_OBJECTS.iter().map(|verb| cell(info, verb, "", namespace, name)));
        let subs = info.subresources.iter().chain(info.private).filter(|sub| sub.name != "etcd");
        cells.extend(subs.flat_map(|sub| ON_PARTS.iter().map(move |verb| cell(info, verb, sub.name, namespace, name))));
    }
    let everywhere: &[&str] = if info.scope == Scope::Namespaced { &["blue", "green", ""] } else { &[""] };
    for namespace in everywhere {
        cells.extend(ON_COLLECTIONS.iter().map(|verb| cell(info, verb, "", namespace, "")));
        let selectors = SELECTORS.iter().filter(|(resource, _)| *resource == info.plural);
        let selected = selectors.flat_map(|(_, fields)| {
            ["list", "watch"].map(|verb| Cell { fields, ..cell(info, verb, "", namespace, "") })
        });
        cells.extend(selected);
    }
    cells.retain(|cell| !(cell.verb == "create" && cell.namespace.is_empty() && info.scope == Scope::Namespaced));
    cells
}

const SELECTORS: &[(&str, &str)] = &[
    ("pods", "spec.nodeName=a"),
    ("pods", "spec.nodeName=b,metadata.name=api"),
    ("pods", "metadata.name=web"),
    ("secrets", "metadata.name=web-secret"),
    ("configmaps", "metadata.name=only"),
    ("nodes", "metadata.name=a"),
    ("resourceslices", "spec.nodeName=a"),
];

/// Where objects lie that the fixtures know, or would lie.
fn places(info: &Info) -> &'static [(&'static str, &'static str)] {
    match (info.scope, info.plural) {
        (_, "pods") => &[("blue", "web"), ("green", "api"), ("blue", "idle"), ("blue", "static-a")],
        (_, "secrets") => &[("blue", "web-secret"), ("green", "api-secret"), ("blue", "idle-secret")],
        (_, "configmaps") => &[("blue", "web-config"), ("green", "api-config"), ("blue", "only"), ("green", "only")],
        (_, "persistentvolumeclaims") => &[("blue", "web-data"), ("green", "api-data")],
        (_, "persistentvolumes") => &[("", "web-volume"), ("", "api-volume"), ("", "free-volume")],
        (_, "serviceaccounts") => &[("blue", "worker"), ("green", "runner")],
        (_, "leases") => &[("kube-node-lease", "a"), ("kube-node-lease", "b"), ("blue", "a")],
        (_, "namespaces") => &[("blue", "blue"), ("green", "green")],
        (_, "nodes" | "csinodes") => &[("", "a"), ("", "b")],
        (_, "volumeattachments") => &[("", "attached-a"), ("", "attached-b")],
        (_, "resourceslices") => &[("", "slice-a"), ("", "slice-b")],
        (_, "resourceclaims") => &[("blue", "web-device"), ("green", "api-device")],
        (Scope::Namespaced, _) => &[("blue", "x"), ("green", "x")],
        (Scope::Cluster, _) => &[("", "x")],
    }
}

fn cell(info: &Info, verb: &'static str, sub: &'static str, namespace: &'static str, name: &'static str) -> Cell {
    Cell {
        verb,
        group: info.gvk.group.clone(),
        version: info.gvk.version.clone(),
        resource: info.plural,
        sub,
        namespace,
        name,
        fields: "",
        stream: info.gvk.group.is_empty() && STREAMS.contains(&sub),
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{} {}/{}", self.verb, self.group, self.resource, self.namespace, self.name)?;
        if !self.sub.is_empty() {
            write!(f, "/{}", self.sub)?;
        }
        if self.fields.is_empty() { Ok(()) } else { write!(f, " where {}", self.fields) }
    }
}
