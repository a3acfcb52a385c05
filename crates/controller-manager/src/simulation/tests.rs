use std::collections::BTreeMap;

use nakhoda_api::kinds::apps::{Deployment, StatefulSet};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::{Patch, Resource};
use serde_json::{Value, json};

use super::node::FAILING;
use super::watcher::Pods;
use super::{Run, with_seeds};
use crate::controllers::{deployment, job, replica_set, stateful_set};
use crate::history::mark;
use crate::pods::{is_active, is_ready, phase};

fn workload(kind: &str, spec: &Value) -> Value {
    let (group, template) = match kind {
        "Job" => ("batch/v1", json!({"metadata": {"labels": {"app": "x"}, "annotations": {FAILING: "30"}}})),
        _ => ("apps/v1", json!({"metadata": {"labels": {"app": "x"}, "annotations": {"version": "1"}}})),
    };
    let mut value = json!({
        "apiVersion": group, "kind": kind, "metadata": {"name": "x", "namespace": "default", "generation": 1},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template},
    });
    for (key, field) in spec.as_object().expect("an object") {
        value["spec"][key] = field.clone();
    }
    value
}

async fn create<K: Resource>(run: &Run, value: &Value) {
    let object: K = serde_json::from_value(value.clone()).expect("a workload");
    run.memory.client().namespaced::<K>("default").create(&object).await.expect("memory refuses nobody");
}

async fn patch<K: Resource>(run: &Run, body: &Value) {
    let api = run.memory.client().namespaced::<K>("default");
    api.patch("x", &Patch::merge(body)).await.expect("memory refuses nobody");
}

/// What the server does when a spec changes.
fn version(number: u32) -> Value {
    json!({"metadata": {"generation": number},
           "spec": {"template": {"metadata": {"annotations": {"version": number.to_string()}}}}})
}

fn number(name: &str) -> usize {
    name.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).expect("a numbered name")
}

fn is_up(pod: &Pod) -> bool {
    is_ready(pod) && is_active(pod)
}

fn updated(set: &StatefulSet, replicas: i32, generation: i64) -> bool {
    let status = set.status.clone().unwrap_or_default();
    status.observed_generation == Some(generation)
        && status.updated_replicas == Some(replicas)
        && status.ready_replicas == Some(replicas)
        && status.current_revision == status.update_revision
}

#[test]
fn an_ordered_stateful_set_never_runs_ahead_and_never_lacks_two() {
    with_seeds(&[stateful_set::start], |run| async move {
        run.always(|pods: &Pods, added| {
            let Some(added) = added else { return Ok(()) };
            let below = (0..number(added.name())).map(|n| format!("x-{n}"));
            let sick: Vec<String> = below.filter(|name| !pods.get(name).is_some_and(|p| is_up(p))).collect();
            if sick.is_empty() { Ok(()) } else { Err(format!("{} came before {sick:?} were up", added.name())) }
        });
        create::<StatefulSet>(&run, &workload("StatefulSet", &json!({"replicas": 3}))).await;
        run.until("x", |set: &StatefulSet| updated(set, 3, 1)).await;
        run.always(|pods: &Pods, _| {
            let up = pods.values().filter(|p| is_up(p)).count();
            if pods.len() < 2 || up >= 2 { Ok(()) } else { Err(format!("only {up} of 3 are up")) }
        });
        patch::<StatefulSet>(&run, &version(2)).await;
        let set = run.until("x", |set: &StatefulSet| updated(set, 3, 2)).await;
        let revision = set.status.and_then(|s| s.update_revision).expect("told");
        let pods = run.pods().await;
        assert!(pods.iter().all(|p| mark(p.metadata.labels.as_ref()) == revision), "seed {}", run.seed);
    });
}

#[test]
fn a_job_counts_each_pod_once_and_runs_no_more_than_it_may() {
    let spec = json!({"parallelism": 3, "completions": 6, "backoffLimit": 1000});
    with_seeds(&[job::start], |run| {
        let spec = spec.clone();
        async move {
            run.always(|pods: &Pods, _| {
                let active = pods.values().filter(|p| is_active(p)).count();
                if active <= 3 { Ok(()) } else { Err(format!("{active} pods at once")) }
            });
            create::<Job>(&run, &workload("Job", &spec)).await;
            let done = run.until("x", job::condition::is_finished).await;
            let count = |phase_: &str, pods: &[Pod]| pods.iter().filter(|p| phase(p) == phase_).count();
            let (pods, status) = (run.pods().await, done.status.expect("told"));
            let told = [status.succeeded, status.failed].map(|n| n.unwrap_or_default());
            let found = [count("Succeeded", &pods), count("Failed", &pods)];
            assert_eq!(told.map(|n| usize::try_from(n).expect("a count")), found, "seed {}", run.seed);
            assert_eq!(told[0], 6, "seed {}", run.seed);
        }
    });
}

#[test]
fn each_index_of_a_job_succeeds_exactly_once() {
    let spec = json!({"parallelism": 4, "completions": 5, "completionMode": "Indexed", "backoffLimitPerIndex": 1000, "backoffLimit": 2147483647});
    with_seeds(&[job::start], |run| {
        let spec = spec.clone();
        async move {
            create::<Job>(&run, &workload("Job", &spec)).await;
            let done = run.until("x", job::condition::is_finished).await;
            let mut successes: BTreeMap<i32, u32> = BTreeMap::new();
            for pod in run.pods().await.iter().filter(|p| phase(p) == "Succeeded") {
                *successes.entry(job::pod::index(pod).expect("indexed")).or_default() += 1;
            }
            assert_eq!(successes.into_iter().collect::<Vec<_>>(), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]);
            assert_eq!(done.status.and_then(|s| s.completed_indexes).as_deref(), Some("0-4"), "seed {}", run.seed);
        }
    });
}

#[test]
fn a_deployment_never_has_fewer_pods_up_than_it_must() {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}});
    let spec = json!({"replicas": 4, "strategy": strategy});
    let complete = |deployment: &Deployment, generation: i64| {
        let status = deployment.status.clone().unwrap_or_default();
        status.observed_generation == Some(generation)
            && (status.updated_replicas, status.available_replicas, status.replicas) == (Some(4), Some(4), Some(4))
    };
    with_seeds(&[deployment::start, replica_set::start], |run| {
        let spec = spec.clone();
        async move {
            create::<Deployment>(&run, &workload("Deployment", &spec)).await;
            run.until("x", |d: &Deployment| complete(d, 1)).await;
            run.always(|pods: &Pods, _| {
                let up = pods.values().filter(|p| is_up(p)).count();
                if pods.len() < 3 || up >= 3 { Ok(()) } else { Err(format!("only {up} of 4 are up")) }
            });
            patch::<Deployment>(&run, &version(2)).await;
            run.until("x", |d: &Deployment| complete(d, 2)).await;
        }
    });
}
