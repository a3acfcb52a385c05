//! What controllers ask about a node.

use nakhoda_api::kinds::core::{Node, NodeCondition, Pod};

use crate::pods;

/// The index of pods by node; pods that are bound to none are not in it.
pub const BY_NODE: &str = "node";

/// The values of [`BY_NODE`].
#[must_use]
pub fn by_node(pod: &Pod) -> Vec<String> {
    pods::node(pod).map(str::to_owned).into_iter().collect()
}

/// The condition of a type.
#[must_use]
pub fn condition<'a>(node: &'a Node, type_: &str) -> Option<&'a NodeCondition> {
    node.status.as_ref()?.conditions.iter().flatten().find(|c| c.type_ == type_)
}

/// The status of a condition: True, False, Unknown; empty if it was never told.
#[must_use]
pub fn status<'a>(node: &'a Node, type_: &str) -> &'a str {
    condition(node, type_).map(|c| c.status.as_str()).unwrap_or_default()
}

/// Whether the node says that it is ready.
#[must_use]
pub fn is_ready(node: &Node) -> bool {
    status(node, "Ready") == "True"
}

/// The addresses of a type, for example `InternalIP`.
pub fn addresses<'a>(node: &'a Node, type_: &'a str) -> impl Iterator<Item = &'a str> {
    let all = node.status.as_ref().and_then(|s| s.addresses.as_ref()).into_iter().flatten();
    all.filter(move |a| a.type_ == type_).map(|a| a.address.as_str())
}
