//! Room is scarce: nodes are filled and never overfilled, and who matters more gets it.

use nakhoda_api::kinds::apps::Deployment;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;
use nakhoda_controller_manager::controllers::{deployment, replica_set};
use nakhoda_controller_manager::pods::{is_active, node};
use serde_json::json;

use crate::objects::{renamed, workload};
use crate::rules::is_up;
use crate::run::{Cast, with_seeds};

fn cast() -> Cast {
    Cast { controllers: vec![deployment::start, replica_set::start], nodes: 3, cores: 3 }
}

fn of<'a>(pods: &'a [Pod], app: &'a str) -> impl Iterator<Item = &'a Pod> {
    pods.iter().filter(move |pod| {
        is_active(pod) && pod.metadata.labels.as_ref().and_then(|l| l.get("app")).is_some_and(|a| a == app)
    })
}

#[test]
fn what_finds_no_room_waits_until_there_is_some() {
    with_seeds(&cast(), |run| async move {
        let spec = json!({"replicas": 7, "strategy": {"type": "Recreate"}});
        run.create::<Deployment>(&workload("Deployment", &spec)).await;
        run.create::<Deployment>(&renamed(workload("Deployment", &spec), "y")).await;
        run.until_pods(|pods| pods.iter().filter(|p| is_up(p)).count() == 9).await;
        run.patch::<Deployment>(&json!({"metadata": {"generation": 2}, "spec": {"replicas": 2}})).await;
        let pods = run.until_pods(|pods| of(pods, "x").count() == 2 && of(pods, "y").filter(|p| is_up(p)).count() == 7);
        assert!(pods.await.iter().filter(|p| is_active(p)).all(|p| node(p).is_some()));
        run.rests().await;
    });
}

#[test]
fn who_matters_more_takes_the_place_of_who_matters_less() {
    with_seeds(&cast(), |run| async move {
        let spec = json!({"replicas": 9, "strategy": {"type": "Recreate"}});
        run.create::<Deployment>(&workload("Deployment", &spec)).await;
        run.until_pods(|pods| pods.iter().filter(|p| is_up(p)).count() == 9).await;
        let mut more = renamed(workload("Deployment", &json!({"replicas": 4, "strategy": {"type": "Recreate"}})), "y");
        more["spec"]["template"]["spec"]["priority"] = 100.into();
        run.create::<Deployment>(&more).await;
        let pods = run.until_pods(|pods| {
            let count = |app| of(pods, app).filter(|p| is_up(p)).count();
            count("y") == 4 && count("x") == 5
        });
        let waiting = pods.await.iter().filter(|p| node(p).is_none()).map(|p| p.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(waiting.len(), 4, "{waiting:?}");
        // The victims' successors wait; nobody is driven out for them.
        run.rests().await;
    });
}
