//! Workloads come up, change and end as they promise.

use std::collections::{BTreeMap, BTreeSet};

use nakhoda_api::kinds::apps::{DaemonSet, Deployment, StatefulSet};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;
use nakhoda_controller_manager::controllers::{daemon_set, deployment, job, replica_set, stateful_set};
use nakhoda_controller_manager::history::mark;
use nakhoda_controller_manager::pods::{is_active, node, phase};
use serde_json::json;

use crate::objects::{version, workload};
use crate::rules::{Pods, is_up};
use crate::run::{Cast, once, with_seeds};

fn cast(controllers: &[fn(&nakhoda_controller_manager::context::Context)]) -> Cast {
    Cast { controllers: controllers.to_vec(), nodes: 3, cores: 8 }
}

fn number(name: &str) -> usize {
    name.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).expect("a numbered name")
}

fn updated(set: &StatefulSet, replicas: i32, generation: i64) -> bool {
    let status = set.status.clone().unwrap_or_default();
    status.observed_generation == Some(generation)
        && status.updated_replicas == Some(replicas)
        && status.ready_replicas == Some(replicas)
        && status.current_revision == status.update_revision
}

fn complete(deployment: &Deployment, replicas: i32, generation: i64) -> bool {
    let status = deployment.status.clone().unwrap_or_default();
    let counts = [status.updated_replicas, status.available_replicas, status.replicas];
    status.observed_generation == Some(generation) && counts == [Some(replicas); 3]
}

#[test]
fn an_ordered_stateful_set_never_runs_ahead_and_never_lacks_two() {
    with_seeds(&cast(&[stateful_set::start]), |run| async move {
        run.always(|pods: &Pods, added| {
            let Some(added) = added else { return Ok(()) };
            let below = (0..number(added.name())).map(|n| format!("x-{n}"));
            let sick: Vec<String> = below.filter(|name| !pods.get(name).is_some_and(is_up)).collect();
            if sick.is_empty() { Ok(()) } else { Err(format!("{} came before {sick:?} were up", added.name())) }
        });
        run.create::<StatefulSet>(&workload("StatefulSet", &json!({"replicas": 3}))).await;
        run.until("x", |set: &StatefulSet| updated(set, 3, 1)).await;
        run.always(|pods: &Pods, _| {
            let up = pods.values().filter(|p| is_up(p)).count();
            if up >= 2 { Ok(()) } else { Err(format!("only {up} of 3 are up")) }
        });
        run.patch::<StatefulSet>(&version(2)).await;
        let set = run.until("x", |set: &StatefulSet| updated(set, 3, 2)).await;
        let revision = set.status.and_then(|s| s.update_revision).expect("told");
        assert!(run.pods().await.iter().all(|p| mark(p.metadata.labels.as_ref()) == revision));
        run.rests().await;
    });
}

#[test]
fn a_job_counts_each_pod_once_and_runs_no_more_than_it_may() {
    let spec = json!({"parallelism": 3, "completions": 6, "backoffLimit": 1000});
    with_seeds(&cast(&[job::start]), |run| {
        let spec = spec.clone();
        async move {
            run.always(|pods: &Pods, _| {
                let active = pods.values().filter(|p| is_active(p)).count();
                if active <= 3 { Ok(()) } else { Err(format!("{active} pods at once")) }
            });
            run.create::<Job>(&workload("Job", &spec)).await;
            let done = run.until("x", job::condition::is_finished).await;
            let count = |phase_: &str, pods: &[Pod]| pods.iter().filter(|p| phase(p) == phase_).count();
            let (pods, status) = (run.pods().await, done.status.expect("told"));
            let told = [status.succeeded, status.failed].map(|n| n.unwrap_or_default());
            let found = [count("Succeeded", &pods), count("Failed", &pods)];
            assert_eq!(told.map(|n| usize::try_from(n).expect("a count")), found);
            assert_eq!(told[0], 6);
            run.rests().await;
        }
    });
}

#[test]
fn each_index_of_a_job_succeeds_exactly_once() {
    let spec = json!({"parallelism": 4, "completions": 5, "completionMode": "Indexed", "backoffLimitPerIndex": 1000, "backoffLimit": 2147483647});
    with_seeds(&cast(&[job::start]), |run| {
        let spec = spec.clone();
        async move {
            run.create::<Job>(&workload("Job", &spec)).await;
            let done = run.until("x", job::condition::is_finished).await;
            let mut successes: BTreeMap<i32, u32> = BTreeMap::new();
            for pod in run.pods().await.iter().filter(|p| phase(p) == "Succeeded") {
                *successes.entry(job::pod::index(pod).expect("indexed")).or_default() += 1;
            }
            assert_eq!(successes.into_iter().collect::<Vec<_>>(), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]);
            assert_eq!(done.status.and_then(|s| s.completed_indexes).as_deref(), Some("0-4"));
        }
    });
}

async fn rolling(run: crate::run::Run) {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}});
    // What is asked for is what is promised: pods that are to go may take a moment.
    run.rules.limit_sets(5);
    run.create::<Deployment>(&workload("Deployment", &json!({"replicas": 4, "strategy": strategy}))).await;
    run.until("x", |d: &Deployment| complete(d, 4, 1)).await;
    run.always(|pods: &Pods, _| {
        let up = pods.values().filter(|p| is_up(p)).count();
        if up >= 3 { Ok(()) } else { Err(format!("only {up} of 4 are up")) }
    });
    run.patch::<Deployment>(&version(2)).await;
    run.pause(20_000).await;
    // Rolled over before it is done, as it may be.
    run.patch::<Deployment>(&version(3)).await;
    run.until("x", |d: &Deployment| complete(d, 4, 3)).await;
    run.rests().await;
}

#[test]
fn a_deployment_never_has_fewer_pods_up_than_it_must_nor_more_than_it_may() {
    with_seeds(&cast(&[deployment::start, replica_set::start]), rolling);
}

#[test]

fn a_seed_is_the_same_run_each_time() {
    let cast = cast(&[deployment::start, replica_set::start]);
    for seed in 0..3 {
        assert_eq!(once(seed, false, &cast, rolling), once(seed, false, &cast, rolling), "seed {seed}");
    }
    assert_ne!(once(0, false, &cast, rolling), once(1, false, &cast, rolling));
}

#[test]
fn a_daemon_set_runs_once_per_node_and_changes_one_at_a_time() {
    let done = |set: &DaemonSet, generation: i64| {
        let status = set.status.clone().unwrap_or_default();
        let counts = [status.updated_number_scheduled, status.number_available];
        status.observed_generation == Some(generation) && counts == [Some(3); 2]
    };
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}});
    with_seeds(&cast(&[daemon_set::start]), |run| {
        let spec = json!({"updateStrategy": strategy});
        async move {
            run.always(|pods: &Pods, _| {
                let mut nodes: Vec<_> = pods.values().filter(|p| is_active(p)).filter_map(node).collect();
                nodes.sort_unstable();
                if nodes.windows(2).all(|w| w[0] != w[1]) { Ok(()) } else { Err(format!("twice on one of {nodes:?}")) }
            });
            run.create::<DaemonSet>(&workload("DaemonSet", &spec)).await;
            run.until("x", |set: &DaemonSet| done(set, 1)).await;
            run.always(|pods: &Pods, _| {
                let up = pods.values().filter(|p| is_up(p)).count();
                if up >= 2 { Ok(()) } else { Err(format!("only {up} of 3 nodes are served")) }
            });
            run.patch::<DaemonSet>(&version(2)).await;
            run.until("x", |set: &DaemonSet| done(set, 2)).await;
            run.rests().await;
        }
    });
}

#[test]
fn a_daemon_set_that_surges_leaves_no_node_unserved() {
    let done = |set: &DaemonSet, generation: i64| {
        let status = set.status.clone().unwrap_or_default();
        let counts = [status.updated_number_scheduled, status.number_available];
        status.observed_generation == Some(generation) && counts == [Some(3); 2]
    };
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}});
    with_seeds(&cast(&[daemon_set::start]), |run| {
        let spec = json!({"updateStrategy": strategy});
        async move {
            run.create::<DaemonSet>(&workload("DaemonSet", &spec)).await;
            run.until("x", |set: &DaemonSet| done(set, 1)).await;
            run.always(|pods: &Pods, _| {
                let on = |name: &str| pods.values().filter(|p| is_active(p) && node(p) == Some(name)).count();
                let served: BTreeSet<_> = pods.values().filter(|p| is_up(p)).filter_map(node).collect();
                let doubled = served.iter().filter(|name| on(name) > 1).count();
                if served.len() == 3 && doubled <= 1 { Ok(()) } else { Err(format!("{served:?}, {doubled} doubled")) }
            });
            run.patch::<DaemonSet>(&version(2)).await;
            run.until("x", |set: &DaemonSet| done(set, 2)).await;
            run.rests().await;
        }
    });
}

#[test]
fn a_stateful_set_in_parallel_never_lacks_more_than_it_may() {
    let update = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}});
    let spec = json!({"replicas": 5, "podManagementPolicy": "Parallel", "updateStrategy": update});
    with_seeds(&cast(&[stateful_set::start]), |run| {
        let spec = spec.clone();
        async move {
            run.create::<StatefulSet>(&workload("StatefulSet", &spec)).await;
            run.until("x", |set: &StatefulSet| updated(set, 5, 1)).await;
            run.always(|pods: &Pods, _| {
                let up = pods.values().filter(|p| is_up(p)).count();
                if up >= 3 { Ok(()) } else { Err(format!("only {up} of 5 are up, 3 must be")) }
            });
            run.patch::<StatefulSet>(&version(2)).await;
            run.until("x", |set: &StatefulSet| updated(set, 5, 2)).await;
            run.rests().await;
        }
    });
}
