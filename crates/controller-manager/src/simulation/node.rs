//! Nodes: pods start after a while, and those that are to end do, well or not.

use nakhoda_api::kinds::core::{Pod, PodCondition, PodStatus};
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::{Change, Informers, Key, Resource};

use super::Run;
use crate::clock;
use crate::pods::{is_finished, phase};

/// The annotation of pods that run to an end: how many in a hundred fail.
pub(crate) const FAILING: &str = "simulation/failing";

/// Runs until the run ends.
pub(super) async fn run(run: Run) {
    let informers = Informers::new(run.memory.client(), run.tasks.clone());
    let mut changes = informers.of::<Pod>().subscribe();
    while let Some(change) = changes.recv().await {
        let pod = change.object().clone();
        if matches!(change, Change::Deleted(_)) || is_finished(&pod) {
            continue;
        }
        if phase(&pod).is_empty() || pod.is_terminating() {
            tokio::spawn(live(run.clone(), (*pod).clone()));
        }
    }
}

async fn live(run: Run, pod: Pod) {
    let key = Key::of(&pod);
    run.pause(3_000).await;
    if pod.is_terminating() {
        return tell(&run, &key, pod.uid(), "Failed").await;
    }
    tell(&run, &key, pod.uid(), "Running").await;
    let failing = pod.metadata.annotations.as_ref().and_then(|a| a.get(FAILING)).and_then(|f| f.parse().ok());
    if let Some(percent) = failing {
        run.pause(10_000).await;
        tell(&run, &key, pod.uid(), if run.chance(percent) { "Failed" } else { "Succeeded" }).await;
    }
}

/// Writes a phase, unless the pod has ended or is another one by now.
async fn tell(run: &Run, key: &Key, uid: &str, next: &str) {
    let api = run.memory.client().namespaced::<Pod>(&key.namespace);
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
