//! What the scenarios ask for.

use nakhoda_client::{Patch, Resource};
use serde_json::{Value, json};

use crate::kubelets::FAILING;
use crate::run::Run;

/// The template of pods that ask for one core each.
pub(crate) fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "x"}, "annotations": {"version": "1"}},
        "spec": {"schedulerName": "default-scheduler",
                 "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]},
    })
}

/// A workload named `x`, with these fields of its specification.
pub(crate) fn workload(kind: &str, spec: &Value) -> Value {
    let mut value = json!({
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": {"name": "x", "namespace": "default", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template()},
    });
    if kind == "Job" {
        value["apiVersion"] = "batch/v1".into();
        value["spec"]["template"]["metadata"]["annotations"] = json!({FAILING: "30"});
        value["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    }
    for (key, field) in spec.as_object().expect("an object") {
        value["spec"][key] = field.clone();
    }
    value
}

/// The same under another name, with a selector of its own.
pub(crate) fn renamed(mut value: Value, name: &str) -> Value {
    value["metadata"]["name"] = name.into();
    value["spec"]["selector"]["matchLabels"]["app"] = name.into();
    value["spec"]["template"]["metadata"]["labels"]["app"] = name.into();
    value
}

/// What the server does when a template changes.
pub(crate) fn version(number: u32) -> Value {
    json!({"metadata": {"generation": number},
           "spec": {"template": {"metadata": {"annotations": {"version": number.to_string()}}}}})
}

// === impl Run ===

impl Run {
    /// Asks for an object.
    pub(crate) async fn create<K: Resource>(&self, value: &Value) -> K {
        let object: K = serde_json::from_value(value.clone()).expect("an object of this kind");
        self.client().namespaced::<K>("default").create(&object).await.expect("memory refuses nobody")
    }

    /// Changes the object named `x`.
    pub(crate) async fn patch<K: Resource>(&self, body: &Value) {
        let api = self.client().namespaced::<K>("default");
        api.patch("x", &Patch::merge(body)).await.expect("memory refuses nobody");
    }
}
