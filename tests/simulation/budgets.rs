//! Disruption budgets hold, whoever evicts and however often.

use nakhoda_api::kinds::apps::ReplicaSet;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::{DeleteOptions, Time};
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_client::{Resource, clock};
use nakhoda_controller_manager::controllers::{disruption, replica_set};
use serde_json::json;

use crate::objects::workload;
use crate::rules::{Pods, is_up};
use crate::run::{Cast, Run, with_seeds};

/// Evicts a pod as the server does: what the budget allows is taken from it first.
async fn evict(run: &Run, pod: &Pod) -> bool {
    let budgets = run.client().namespaced::<PodDisruptionBudget>("default");
    let mut budget = budgets.get("x").await.expect("it is there");
    let generation = budget.metadata.generation.unwrap_or_default();
    let Some(status) = &mut budget.status else { return false };
    let allowed = status.disruptions_allowed.unwrap_or_default();
    if status.observed_generation.unwrap_or_default() < generation || allowed <= 0 {
        return false;
    }
    status.disruptions_allowed = Some(allowed - 1);
    status.disrupted_pods.get_or_insert_default().insert(pod.name().to_owned(), Time(clock::now()));
    if budgets.update_status(&budget).await.is_err() {
        return false;
    }
    run.client().namespaced::<Pod>("default").delete(pod.name(), &DeleteOptions::default()).await.is_ok()
}

async fn drain(run: Run) -> u32 {
    let mut evicted = 0;
    for _ in 0..150 {
        run.pause(2_000).await;
        let up: Vec<Pod> = run.pods().await.into_iter().filter(is_up).collect();
        let Some(pod) = up.iter().find(|_| run.chance(30)).or(up.last()) else { continue };
        evicted += u32::from(evict(&run, pod).await);
    }
    evicted
}

#[test]
fn two_who_drain_never_take_more_than_a_budget_allows() {
    let cast = Cast { controllers: vec![disruption::start, replica_set::start], nodes: 3, cores: 8 };
    with_seeds(&cast, |run| async move {
        run.create::<ReplicaSet>(&workload("ReplicaSet", &json!({"replicas": 5}))).await;
        run.create::<PodDisruptionBudget>(&json!({
            "metadata": {"name": "x", "namespace": "default", "generation": 1},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "x"}}},
        }))
        .await;
        run.until("x", |budget: &PodDisruptionBudget| {
            budget.status.as_ref().is_some_and(|s| (s.current_healthy, s.disruptions_allowed) == (Some(5), Some(2)))
        })
        .await;
        run.always(|pods: &Pods, _| {
            let up = pods.values().filter(|p| is_up(p)).count();
            if up >= 3 { Ok(()) } else { Err(format!("only {up} are up, 3 must be")) }
        });
        let (a, b) = tokio::join!(drain(run.clone()), drain(run.clone()));
        assert!(a + b > 10, "{a} and {b} evictions went through");
        run.until("x", |budget: &PodDisruptionBudget| {
            budget.status.as_ref().is_some_and(|s| (s.current_healthy, s.disruptions_allowed) == (Some(5), Some(2)))
        })
        .await;
        run.rests().await;
    });
}
