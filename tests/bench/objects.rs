//! The measured objects.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Bytes of filling, by which a pod takes 3.5 KiB as JSON and a ConfigMap's event 1.5 KiB.
const POD: usize = 1800;
const CONFIG_MAP: usize = 1024;

/// A pod that no scheduler takes up.
pub(crate) fn pod(name: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "bench"}, "annotations": {"filling": "x".repeat(POD)}},
        "spec": {
            "schedulerName": "nobody",
            "automountServiceAccountToken": false,
            "containers": [{
                "name": "c", "image": "registry.example/app:1", "args": ["--one", "--two"],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            }],
        },
    })
    .to_string()
}

/// A ConfigMap that tells when it was sent, in microseconds.
pub(crate) fn config_map(name: &str, sent: u128) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"sent": sent.to_string(), "filling": "x".repeat(CONFIG_MAP)},
    })
    .to_string()
}

/// When the object of an event was sent.
pub(crate) fn sent(event: &[u8]) -> Result<Duration> {
    let event: Value = serde_json::from_slice(event).context("an event")?;
    let text = event["object"]["data"]["sent"].as_str().with_context(|| format!("no ConfigMap of ours: {event}"))?;
    Ok(Duration::from_micros(text.parse()?))
}
