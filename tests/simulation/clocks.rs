//! The clock on the wall is set while workloads rest: nothing comes of it but that pods may count as too young again.

use jiff::SignedDuration;
use nakhoda_api::kinds::apps::{DaemonSet, Deployment, StatefulSet};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_client::Resource;
use nakhoda_client::clock::simulated;
use nakhoda_controller_manager::controllers::job::condition::is_finished;
use nakhoda_controller_manager::controllers::{daemon_set, deployment, disruption, job, replica_set, stateful_set};
use serde_json::json;

use crate::objects::{renamed, workload};
use crate::rules::is_up;
use crate::run::{Cast, with_seeds};

fn cast() -> Cast {
    let controllers = vec![
        daemon_set::start,
        deployment::start,
        disruption::start,
        job::start,
        replica_set::start,
        stateful_set::start,
    ];
    Cast { controllers, nodes: 3, cores: 8 }
}

#[test]
fn workloads_at_rest_stay_so_when_the_clock_is_set_forward_and_back() {
    with_seeds(&cast(), |run| async move {
        let waits = json!({"replicas": 3, "minReadySeconds": 10});
        run.create::<Deployment>(&workload("Deployment", &waits)).await;
        run.create::<StatefulSet>(&renamed(workload("StatefulSet", &waits), "y")).await;
        run.create::<DaemonSet>(&renamed(workload("DaemonSet", &json!({"minReadySeconds": 10})), "z")).await;
        run.create::<Job>(&renamed(
            workload("Job", &json!({"parallelism": 2, "completions": 2, "backoffLimit": 99})),
            "j",
        ))
        .await;
        run.create::<PodDisruptionBudget>(&json!({
            "metadata": {"name": "x", "namespace": "default", "generation": 1},
            "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "x"}}},
        }))
        .await;
        run.until("j", is_finished).await;
        let pods = run.until_pods(|pods| pods.iter().filter(|pod| is_up(pod)).count() == 9).await;
        run.rests().await;
        for hours in [5, -10, 24 * 365] {
            let before = run.rules.all_writes();
            simulated::step(SignedDuration::from_hours(hours));
            run.seconds(300).await;
            let written = run.rules.all_writes() - before;
            assert!(written <= 20, "{written} writes after {hours} hours at once");
        }
        let uids = |pods: &[Pod]| pods.iter().map(|pod| pod.uid().to_owned()).collect::<Vec<_>>();
        assert_eq!(uids(&run.pods().await), uids(&pods));
    });
}
