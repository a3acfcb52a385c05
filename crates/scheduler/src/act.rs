//! What follows from a decision: writes to the API, each in a task of its own, so that the next
//! decision never waits. All carry the leader's fence.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod, PodCondition};
use nakhoda_api::kinds::meta::{Condition, DeleteOptions, Preconditions};
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_api::status::chain;
use nakhoda_api::time::time;
use nakhoda_client::{Client, EventType, Informer, Key, Patch, Recorder, Resource, Result, clock, reference};
use nakhoda_daemon::Tasks;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::framework::Step;
use crate::news::News;
use crate::pod::PodInfo;
use crate::report;

mod binding;
mod claims;

pub use binding::BindError;

/// How a binding went.
#[derive(Debug)]
pub struct Bound {
    /// Of which pod.
    pub pod: Arc<PodInfo>,
    /// To which node.
    pub node: String,
    /// What was to be done before.
    pub steps: Vec<Step>,
    /// Whether it is done.
    pub outcome: Result<(), BindError>,
}

/// Told of a PodGroup.
const GROUP_CONDITION: &str = "PodGroupInitiallyScheduled";
/// Told of a pod with a deadline.
const DEADLINE_MET: &str = "nakhoda.dev/DeadlineMet";
const DEADLINE_MISSED: &str = "DeadlineMissed";
/// Told of a pod that was kept from nodes where it would have had to wait.
const AVOIDED: &str = "nakhoda.dev/InterferenceAvoided";
/// Writes under way at a time, so that a flood of pods does not drown the API server.
const AT_ONCE: usize = 100;

/// Does what was decided.
pub struct Actions {
    tasks: Tasks,
    /// By scheduler name.
    recorders: Arc<HashMap<String, Recorder>>,
    news: mpsc::UnboundedSender<News>,
    permits: Arc<Semaphore>,
    claims: Informer<PersistentVolumeClaim>,
}

// === impl Actions ===

impl Actions {
    /// Events are told in the name of the scheduler that a pod names; how bindings went is told to `news`.
    #[must_use]
    pub fn new(
        tasks: Tasks,
        recorders: HashMap<String, Recorder>,
        news: mpsc::UnboundedSender<News>,
        claims: Informer<PersistentVolumeClaim>,
    ) -> Self {
        Self { tasks, recorders: Arc::new(recorders), news, permits: Arc::new(Semaphore::new(AT_ONCE)), claims }
    }

    /// Binds a pod to a node, once what it needs there has been done.
    pub fn bind(&self, client: &Client, pod: Arc<PodInfo>, node: String, steps: Vec<Step>, patience: Duration) {
        let (client, news, recorders) = (client.clone(), self.news.clone(), self.recorders.clone());
        let (permits, claims) = (self.permits.clone(), self.claims.clone());
        self.tasks.spawn_draining("bind", async move {
            // One that waits for volumes does not keep others waiting.
            let _permit = if steps.is_empty() { Some(permits.acquire().await) } else { None };
            let outcome = binding::bind(&client, &claims, &pod, &node, &steps, patience).await;
            if outcome.is_ok() {
                let message = format!("Successfully assigned {} to {node}", pod.key);
                tell(&recorders, pod.scheduler(), &pod, EventType::Normal, "Scheduled", message);
            }
            // The engine is gone only when the process ends.
            drop(news.send(News::Bound(Bound { pod, node, steps, outcome })));
        });
    }

    /// Tells why a pod was not placed: an event, and its condition if that changes. `nominated` is the
    /// node it was promised.
    pub fn explain(
        &self,
        client: &Client,
        pod: &Arc<PodInfo>,
        reason: &'static str,
        message: &str,
        nominated: Option<String>,
    ) {
        let short = report::shortened(message);
        tell(&self.recorders, pod.scheduler(), pod, EventType::Warning, "FailedScheduling", short);
        if let Some(patch) = status_patch(&pod.object, reason, message, nominated.as_deref(), clock::now()) {
            self.patch_status(client, pod, patch);
        }
    }

    /// Tells of a gang whether it was placed, unless it is known: once placed, it stays so told.
    pub fn tell_group(&self, client: &Client, group: &Arc<PodGroup>, scheduled: bool, message: &str) {
        let (status, reason) = if scheduled { ("True", "Scheduled") } else { ("False", "Unschedulable") };
        let all = group.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
        let known = all.iter().find(|c| c.type_ == GROUP_CONDITION);
        if known.is_some_and(|c| c.status == "True" || (c.status == status && c.message == message)) {
            return;
        }
        let condition = Condition {
            type_: GROUP_CONDITION.into(),
            status: status.into(),
            reason: reason.into(),
            message: message.into(),
            observed_generation: group.metadata.generation,
            last_transition_time: time(clock::now()),
        };
        let others = all.iter().filter(|c| c.type_ != GROUP_CONDITION).cloned();
        let conditions: Vec<Condition> = others.chain([condition]).collect();
        // A list is replaced as a whole: not if somebody else has written it since.
        let version = &group.metadata.resource_version;
        let patch =
            json!({"metadata": {"uid": group.uid(), "resourceVersion": version}, "status": {"conditions": conditions}});
        let (client, key) = (client.clone(), Key::of(&**group));
        self.tasks.spawn("pod group condition", async move {
            let api = client.namespaced::<PodGroup>(&key.namespace);
            match api.patch_sub::<PodGroup>(&key.name, "status", &Patch::merge(&patch)).await {
                Err(error) if !error.is_not_found() => {
                    tracing::warn!(group = %key, error = chain(&error), "condition not written");
                }
                _ => {}
            }
        });
    }

    /// Tells that a pod did not start when it had to: an event, and a condition.
    pub fn tell_missed(&self, client: &Client, pod: &Arc<PodInfo>, message: &str) {
        self.warn(pod, DEADLINE_MISSED, message.into());
        self.write_condition(client, pod, [DEADLINE_MET, "False", DEADLINE_MISSED, message]);
    }

    /// Tells which nodes a pod was kept from: a condition.
    pub fn tell_avoided(&self, client: &Client, pod: &Arc<PodInfo>, message: &str) {
        self.write_condition(client, pod, [AVOIDED, "True", "TasksStalled", message]);
    }

    /// Writes a condition of our own.
    fn write_condition(&self, client: &Client, pod: &Arc<PodInfo>, [kind, status, reason, message]: [&str; 4]) {
        let condition = json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": time(clock::now())});
        let patch = json!({"metadata": {"uid": pod.uid}, "status": {"conditions": [condition]}});
        self.patch_status(client, pod, patch);
    }

    /// A warning about a pod.
    pub fn warn(&self, pod: &PodInfo, reason: &str, message: String) {
        tell(&self.recorders, pod.scheduler(), pod, EventType::Warning, reason, message);
    }

    fn patch_status(&self, client: &Client, pod: &Arc<PodInfo>, patch: Value) {
        let (client, pod, permits) = (client.clone(), pod.clone(), self.permits.clone());
        self.tasks.spawn("pod condition", async move {
            let _permit = permits.acquire().await;
            let api = client.namespaced::<Pod>(&pod.key.namespace);
            match api.patch_sub::<Pod>(&pod.key.name, "status", &Patch::strategic(&patch)).await {
                Err(error) if !error.is_not_found() => {
                    tracing::warn!(pod = %pod.key, error = chain(&error), "condition not written");
                }
                _ => {}
            }
        });
    }

    /// Deletes pods so that a more important one fits.
    pub fn evict(&self, client: &Client, victims: Vec<Arc<PodInfo>>, preemptor: &PodInfo, node: &str) {
        let message = format!("Preempted by pod {} on node {node}", preemptor.uid);
        for victim in victims.into_iter().filter(|v| !v.is_terminating()) {
            let (client, recorders, name, message) =
                (client.clone(), self.recorders.clone(), preemptor.scheduler().to_owned(), message.clone());
            self.tasks.spawn("preemption", async move {
                match evict(&client, &victim, &name).await {
                    Ok(()) => tell(&recorders, &name, &victim, EventType::Normal, "Preempted", message),
                    Err(error) => tracing::warn!(pod = %victim.key, error = chain(&error), "victim not deleted"),
                }
            });
        }
    }

    /// Takes back what a pod was promised.
    pub fn renounce(&self, client: &Client, pod: &Arc<PodInfo>) {
        let patch = json!({"metadata": {"uid": pod.uid}, "status": {"nominatedNodeName": null}});
        self.patch_status(client, pod, patch);
    }
}

/// An event about a pod, told by a scheduler.
fn tell(
    recorders: &HashMap<String, Recorder>,
    scheduler: &str,
    pod: &PodInfo,
    kind: EventType,
    reason: &str,
    message: String,
) {
    if let Some(recorder) = recorders.get(scheduler) {
        recorder.event(&reference(&*pod.object), kind, reason, message);
    }
}

async fn evict(client: &Client, victim: &PodInfo, scheduler: &str) -> Result<()> {
    let api = client.namespaced::<Pod>(&victim.key.namespace);
    let condition = json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": format!("{scheduler}: preempting to accommodate a higher priority pod"),
        "lastTransitionTime": time(clock::now()),
    });
    let patch = json!({"metadata": {"uid": victim.uid}, "status": {"conditions": [condition]}});
    api.patch_sub::<Pod>(&victim.key.name, "status", &Patch::strategic(&patch)).await?;
    let preconditions = Some(Preconditions { uid: Some(victim.uid.clone()), ..Preconditions::default() });
    let options = DeleteOptions { preconditions, ..DeleteOptions::default() };
    match api.delete(&victim.key.name, &options).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

/// What of the status has to change, if anything.
fn status_patch(pod: &Pod, reason: &str, message: &str, nominated: Option<&str>, now: Timestamp) -> Option<Value> {
    let status = pod.status.clone().unwrap_or_default();
    let known = status.conditions.iter().flatten().find(|c| c.type_ == "PodScheduled");
    let transition = known.filter(|c| c.status == "False").and_then(|c| c.last_transition_time.clone());
    let condition = PodCondition {
        type_: "PodScheduled".into(),
        status: "False".into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        observed_generation: pod.metadata.generation,
        last_transition_time: Some(transition.unwrap_or_else(|| time(now))),
        last_probe_time: None,
    };
    let renominated = nominated.filter(|n| status.nominated_node_name.as_deref() != Some(*n));
    if known.is_some_and(|known| same(known, &condition)) && renominated.is_none() {
        return None;
    }
    let mut patch = json!({"metadata": {"uid": pod.uid()}, "status": {"conditions": [condition]}});
    if let Some(node) = renominated {
        patch["status"]["nominatedNodeName"] = node.into();
    }
    Some(patch)
}

fn same(a: &PodCondition, b: &PodCondition) -> bool {
    a.status == b.status
        && a.reason == b.reason
        && a.message == b.message
        && a.observed_generation == b.observed_generation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::pod;

    fn now(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn apply(pod: &mut Pod, patch: &Value) {
        let condition = serde_json::from_value(patch["status"]["conditions"][0].clone()).expect("a condition");
        pod.status.get_or_insert_default().conditions = Some(vec![condition]);
    }

    #[test]
    fn the_condition_is_written_only_when_it_says_something_new() {
        let mut pod = pod("a").build();
        let patch = status_patch(&pod, "Unschedulable", "why", None, now(1)).expect("news");
        apply(&mut pod, &patch);
        assert_eq!(status_patch(&pod, "Unschedulable", "why", None, now(2)), None);
        let patch = status_patch(&pod, "Unschedulable", "other", None, now(3)).expect("news");
        assert_eq!(patch["status"]["conditions"][0]["lastTransitionTime"], "1970-01-01T00:00:01Z");
        let nominated = status_patch(&pod, "Unschedulable", "why", Some("n"), now(4)).expect("news");
        assert_eq!(nominated["status"]["nominatedNodeName"], "n");
    }
}
