//! DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or not reachable, unless
//! they say otherwise.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin};

const SECONDS: i64 = 300;
const TAINTS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/// The plugin.
pub struct DefaultTolerationSeconds;

impl Plugin for DefaultTolerationSeconds {
    fn name(&self) -> &'static str {
        "DefaultTolerationSeconds"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, _: &'a Attributes<'a>, pod: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        let mut tolerations = pod.at(&["spec", "tolerations"]).and_then(Value::as_array).cloned().unwrap_or_default();
        let missing: Vec<&str> = TAINTS.into_iter().filter(|key| !tolerations.iter().any(|t| covers(t, key))).collect();
        if !missing.is_empty() {
            tolerations.extend(missing.into_iter().map(|key| {
                json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS})
            }));
            pod.set_at(&["spec", "tolerations"], tolerations.into());
        }
        Box::pin(async { Ok(()) })
    }
}

fn covers(toleration: &Value, taint: &str) -> bool {
    let text = |field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or_default();
    [taint, ""].contains(&text("key")) && ["NoExecute", ""].contains(&text("effect"))
}
