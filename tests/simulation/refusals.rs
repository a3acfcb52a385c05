//! Pods that may never be made: whatever asks for them tries ever more seldom and tells people, without a hot loop.

use nakhoda_api::kinds::apps::{DaemonSet, ReplicaSet, StatefulSet};
use nakhoda_api::kinds::batch::{CronJob, Job};
use nakhoda_controller_manager::context::Context;
use nakhoda_controller_manager::controllers::{cron_job, daemon_set, job, replica_set, stateful_set};
use serde_json::{Value, json};

use crate::objects::{template, workload};
use crate::run::{Cast, Run, calmly};

/// A workload, and what keeps it.
type Case = (&'static str, Value, fn(&Context));

fn cases() -> Vec<Case> {
    let mut ending = template();
    ending["spec"]["restartPolicy"] = "Never".into();
    let jobs = json!({"spec": {"template": ending, "completions": 1, "parallelism": 1, "backoffLimit": 6}});
    let cron = json!({
        "metadata": {"name": "x", "namespace": "default", "generation": 1},
        "spec": {"schedule": "*/30 * * * *", "concurrencyPolicy": "Allow", "jobTemplate": jobs},
    });
    vec![
        ("ReplicaSet", workload("ReplicaSet", &json!({"replicas": 500})), replica_set::start),
        (
            "StatefulSet",
            workload("StatefulSet", &json!({"replicas": 5, "podManagementPolicy": "Parallel"})),
            stateful_set::start,
        ),
        ("DaemonSet", workload("DaemonSet", &json!({})), daemon_set::start),
        ("Job", workload("Job", &json!({"parallelism": 50, "completions": 50, "backoffLimit": 6})), job::start),
        ("CronJob", cron, |cx| {
            cron_job::start(cx);
            job::start(cx);
        }),
    ]
}

async fn ask(run: &Run, kind: &str, value: &Value) {
    match kind {
        "ReplicaSet" => drop(run.create::<ReplicaSet>(value).await),
        "StatefulSet" => drop(run.create::<StatefulSet>(value).await),
        "DaemonSet" => drop(run.create::<DaemonSet>(value).await),
        "Job" => drop(run.create::<Job>(value).await),
        _ => drop(run.create::<CronJob>(value).await),
    }
}

#[test]
fn what_may_never_be_made_is_tried_ever_more_seldom_whoever_asks_for_it() {
    for (kind, value, start) in cases() {
        calmly(&Cast { controllers: vec![start], nodes: 3, cores: 8 }, |run| {
            let value = value.clone();
            async move {
                run.allow_pods(false);
                ask(&run, kind, &value).await;
                run.seconds(2400).await;
                let (written, refused) = (run.rules.all_writes(), run.refused());
                assert!(refused > 0 && run.rules.writes("events") > 0, "{kind}: tried and told");
                run.seconds(3600).await;
                let (written, refused) = (run.rules.all_writes() - written, run.refused() - refused);
                assert!(written <= 60, "{kind}: {written} writes in an hour");
                assert!(refused <= 240, "{kind}: {refused} attempts in an hour");
                assert!(run.rules.writes("events") <= 240, "{kind}: {} events", run.rules.writes("events"));
            }
        });
    }
}
