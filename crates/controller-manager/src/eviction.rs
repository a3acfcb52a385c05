//! Pods that must go for the cluster's sake: they are told why before they are deleted.

use jiff::Timestamp;
use nakhoda_api::kinds::core::{Pod, PodCondition};
use nakhoda_api::kinds::meta::{DeleteOptions, Time};
use nakhoda_client::{Client, Patch, Resource, Result};
use serde_json::json;

/// Why a pod must go.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// One word.
    pub reason: &'static str,
    /// A sentence.
    pub message: &'static str,
    /// Nobody is left who could say how the pod ended, so it counts as failed.
    pub failed: bool,
}

/// Writes the condition DisruptionTarget, then deletes. A pod that is gone is no error.
pub async fn evict(client: &Client, pod: &Pod, cause: Cause, options: &DeleteOptions, now: Timestamp) -> Result<()> {
    let api = client.namespaced::<Pod>(pod.namespace());
    let marked = api.patch_sub::<Pod>(pod.name(), "status", &mark(pod, cause, now)).await.map(drop);
    let outcome = match marked {
        Ok(()) => api.delete(pod.name(), options).await.map(drop),
        Err(error) => Err(error),
    };
    match outcome {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

fn mark(pod: &Pod, cause: Cause, now: Timestamp) -> Patch {
    let condition = PodCondition {
        type_: "DisruptionTarget".into(),
        status: "True".into(),
        reason: Some(cause.reason.into()),
        message: Some(cause.message.into()),
        last_transition_time: Some(Time(now)),
        ..PodCondition::default()
    };
    let mut status = json!({"conditions": [condition]});
    if cause.failed {
        status["phase"] = "Failed".into();
    }
    Patch::strategic(&json!({"metadata": {"uid": pod.uid()}, "status": status}))
}
