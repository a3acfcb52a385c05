//! TaintNodesByCondition: a new node takes no pods until the node controller has seen it ready.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin};

const TAINT: &str = "node.kubernetes.io/not-ready";

/// The plugin.
pub struct TaintNodesByCondition;

impl Plugin for TaintNodesByCondition {
    fn name(&self) -> &'static str {
        "TaintNodesByCondition"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create && attributes.is("", "nodes") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, _: &'a Attributes<'a>, node: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        let mut taints = node.at(&["spec", "taints"]).and_then(Value::as_array).cloned().unwrap_or_default();
        if !taints.iter().any(|taint| taint["key"] == TAINT && taint["effect"] == "NoSchedule") {
            taints.push(json!({"key": TAINT, "effect": "NoSchedule"}));
            node.set_at(&["spec", "taints"], taints.into());
        }
        Box::pin(async { Ok(()) })
    }
}
