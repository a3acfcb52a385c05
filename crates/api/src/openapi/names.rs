//! Names in documents: of components and of operations.

use super::{Dialect, ResourceInfo};
use crate::GroupVersionKind;
use crate::schema::{Message, message_for, table};

/// The component of a kind: the Go type's, or one made of group, version and kind.
pub(super) fn component(gvk: &GroupVersionKind) -> String {
    match message_for(gvk) {
        Some(id) => message(table().message(id)),
        None => {
            let group: Vec<&str> = gvk.group.rsplit('.').collect();
            format!("{}.{}.{}", group.join("."), gvk.version, gvk.kind)
        }
    }
}

/// `k8s.io/api/core/v1` and `Pod` make `io.k8s.api.core.v1.Pod`.
pub(super) fn message(message: &Message) -> String {
    go_type(message.path, message.name)
}

pub(super) fn go_type(path: &str, name: &str) -> String {
    let (host, rest) = path.split_once('/').unwrap_or((path, ""));
    let host: Vec<&str> = host.rsplit('.').collect();
    format!("{}.{}.{name}", host.join("."), rest.replace('/', "."))
}

/// A reference to a component.
pub(super) fn reference(component: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::V2 => format!("#/definitions/{component}"),
        Dialect::V3 => format!("#/components/schemas/{component}"),
    }
}

pub(super) fn list_gvk(resource: &ResourceInfo) -> GroupVersionKind {
    GroupVersionKind { kind: resource.list_kind.clone(), ..resource.gvk.clone() }
}

/// A group as operations and tags name it: `rbac.authorization.k8s.io` is `rbacAuthorization`.
pub(super) fn group(group: &str) -> String {
    let short = group.strip_suffix(".k8s.io").unwrap_or(group);
    if short.is_empty() {
        return "core".into();
    }
    let mut parts = short.split(['.', '-']);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &capital(part))
}

pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}
