//! Nodes and their kubelets: pods start after a while, and those that are to end do, well or not. The first
//! node is slow.

use std::sync::Arc;

use nakhoda_api::kinds::core::{Node, Pod, PodCondition, PodStatus};
use nakhoda_api::kinds::meta::{DeleteOptions, Preconditions, Time};
use nakhoda_client::{Change, Informers, Key, Resource, clock};
use nakhoda_controller_manager::pods::{is_finished, node, phase};
use serde_json::json;

use crate::run::Run;

/// The annotation of pods that run to an end: how many in a hundred fail.
pub(crate) const FAILING: &str = "simulation/failing";
/// How much longer everything takes on the first node.
const SLOW: u32 = 10;

/// Makes the nodes, and runs until the run ends.
pub(crate) async fn run(run: Run, nodes: usize, cores: u32) {
    for number in 0..nodes {
        let name = format!("node-{number}");
        let object: Node = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "status": {"allocatable": {"cpu": cores.to_string(), "memory": "64Gi", "pods": "110"},
                       "conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .expect("a node");
        run.client().all().create(&object).await.expect("memory refuses nobody");
    }
    let informers = Informers::new(run.client(), run.tasks.clone());
    let mut changes = informers.of::<Pod>().subscribe();
    while let Some(change) = changes.recv().await {
        let pod: Arc<Pod> = change.object().clone();
        if matches!(change, Change::Deleted(_)) || node(&pod).is_none() {
            continue;
        }
        if phase(&pod).is_empty() || pod.is_terminating() {
            run.tasks.spawn("a pod", live(run.clone(), pod));
        }
    }
}

async fn live(run: Run, pod: Arc<Pod>) {
    let key = Key::of(&*pod);
    let pace = if node(&pod) == Some("node-0") { SLOW } else { 1 };
    run.pause(3_000 * pace).await;
    if pod.is_terminating() {
        if !is_finished(&pod) {
            tell(&run, &key, pod.uid(), "Failed").await;
        }
        return remove(&run, &key, pod.uid()).await;
    }
    tell(&run, &key, pod.uid(), "Running").await;
    let failing = pod.metadata.annotations.as_ref().and_then(|a| a.get(FAILING)).and_then(|f| f.parse().ok());
    if let Some(percent) = failing {
        run.pause(10_000).await;
        tell(&run, &key, pod.uid(), if run.chance(percent) { "Failed" } else { "Succeeded" }).await;
    }
}

/// The pod has ended and may go.
async fn remove(run: &Run, key: &Key, uid: &str) {
    let preconditions = Some(Preconditions { uid: Some(uid.to_owned()), ..Preconditions::default() });
    let options = DeleteOptions { grace_period_seconds: Some(0), preconditions, ..DeleteOptions::default() };
    match run.client().namespaced::<Pod>(&key.namespace).delete(&key.name, &options).await {
        Err(error) if !error.is_not_found() && !error.is_conflict() => panic!("memory refuses nobody: {error}"),
        _ => {}
    }
}

/// Writes a phase, unless the pod has ended or is another one by now.
async fn tell(run: &Run, key: &Key, uid: &str, next: &str) {
    let api = run.client().namespaced::<Pod>(&key.namespace);
    loop {
        let Ok(mut pod) = api.get(&key.name).await else { return };
        if pod.uid() != uid || is_finished(&pod) {
            return;
        }
        let ready = PodCondition {
            type_: "Ready".into(),
            status: if next == "Running" { "True" } else { "False" }.into(),
            last_transition_time: Some(Time(clock::now())),
            ..PodCondition::default()
        };
        pod.status =
            Some(PodStatus { phase: Some(next.into()), conditions: Some(vec![ready]), ..PodStatus::default() });
        if !matches!(api.update_status(&pod).await, Err(error) if error.is_conflict()) {
            return;
        }
    }
}
