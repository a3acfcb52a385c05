//! What nobody should ask for: nothing panics, nothing runs hot, and people are told.

use nakhoda_api::kinds::apps::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::{Node, Pod};
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_client::{Patch, Resource};
use nakhoda_controller_manager::context::Context;
use nakhoda_controller_manager::controllers::{
    daemon_set, deployment, disruption, job, node_lifecycle, replica_set, stateful_set, taint_eviction,
    ttl_after_finished,
};
use nakhoda_controller_manager::pods::{is_active, node};
use serde_json::{Value, json};

use crate::objects::{renamed, template, workload};
use crate::rules::is_up;
use crate::run::{Cast, Run, calmly};

fn cast(controllers: &[fn(&Context)]) -> Cast {
    Cast { controllers: controllers.to_vec(), nodes: 3, cores: 8 }
}

fn owned(pods: &[Pod], uid: &str) -> usize {
    pods.iter().filter(|p| is_active(p) && p.controller().is_some_and(|o| o.uid == uid)).count()
}

#[test]
fn a_template_that_can_never_be_created_is_told_and_tried_ever_more_seldom() {
    calmly(&cast(&[deployment::start, replica_set::start]), |run| async move {
        run.allow_pods(false);
        run.create::<Deployment>(&workload("Deployment", &json!({"replicas": 500, "progressDeadlineSeconds": 600})))
            .await;
        let failure = |d: &Deployment, type_: &str, status: &str, reason: &str| {
            let all = d.status.iter().flat_map(|s| s.conditions.iter().flatten());
            let wanted = [type_, status, reason].map(Some);
            all.clone().any(|c| [&c.type_, &c.status, &c.reason].map(|word| word.as_deref()) == wanted)
        };
        run.until("x", |d: &Deployment| failure(d, "ReplicaFailure", "True", "FailedCreate")).await;
        run.until("x", |d: &Deployment| failure(d, "Progressing", "False", "ProgressDeadlineExceeded")).await;
        let before = run.rules.all_writes();
        run.seconds(3600).await;
        let written = run.rules.all_writes() - before;
        assert!(written <= 10, "{written} writes in an hour");
        assert!(run.rules.writes("events") <= 60, "{} events", run.rules.writes("events"));
        run.allow_pods(true);
        run.until_pods(|pods| pods.len() == 500).await;
    });
}

#[test]
fn two_sets_that_select_the_same_pods_keep_to_their_own() {
    calmly(&cast(&[replica_set::start]), |run| async move {
        let first: ReplicaSet = run.create(&workload("ReplicaSet", &json!({"replicas": 3}))).await;
        let mut other = workload("ReplicaSet", &json!({"replicas": 4}));
        other["metadata"]["name"] = "y".into();
        let second: ReplicaSet = run.create(&other).await;
        // And one that selects whatever there is.
        let mut all = workload(
            "ReplicaSet",
            &json!({"replicas": 2, "selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}),
        );
        all["metadata"]["name"] = "z".into();
        let third: ReplicaSet = run.create(&all).await;
        run.until_pods(|pods| pods.iter().filter(|p| is_up(p)).count() == 9).await;
        let pods = run.pods().await;
        assert_eq!([&first, &second, &third].map(|set| owned(&pods, set.uid())), [3, 4, 2]);
        run.rests().await;
    });
}

#[test]
fn budgets_that_select_everything_cost_no_more_than_others() {
    calmly(&cast(&[disruption::start, replica_set::start]), |run| async move {
        for name in ["x", "y", "z"] {
            run.create::<PodDisruptionBudget>(
                &json!({"metadata": {"name": name, "namespace": "default", "generation": 1},
                "spec": {"minAvailable": "100%", "selector": {}}}),
            )
            .await;
        }
        run.create::<ReplicaSet>(&workload("ReplicaSet", &json!({"replicas": 10}))).await;
        run.until_pods(|pods| pods.iter().filter(|p| is_up(p)).count() == 10).await;
        run.rests().await;
        assert!(run.rules.writes("poddisruptionbudgets") <= 150, "{}", run.rules.writes("poddisruptionbudgets"));
        assert!(run.rules.writes("events") <= 100, "{}", run.rules.writes("events"));
    });
}

/// Fields with values that validation lets through or should not have let through.
fn absurd() -> Vec<(&'static str, Value)> {
    let (most, long) = (i32::MAX, i64::MAX);
    let rolling = |surge: Value, unavailable: Value| json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}});
    vec![
        ("Deployment", json!({"replicas": -5})),
        ("Deployment", json!({"replicas": 3, "minReadySeconds": most, "progressDeadlineSeconds": most})),
        (
            "Deployment",
            json!({"replicas": 3, "minReadySeconds": -1, "progressDeadlineSeconds": -1, "revisionHistoryLimit": -1}),
        ),
        ("Deployment", {
            let mut v = rolling(most.into(), most.into());
            v["replicas"] = 3.into();
            v
        }),
        ("Deployment", {
            let mut v = rolling("999999999%".into(), "-7%".into());
            v["replicas"] = 3.into();
            v
        }),
        ("Deployment", {
            let mut v = rolling("99999999999999999999%".into(), "x".into());
            v["replicas"] = 3.into();
            v
        }),
        ("Deployment", {
            let mut v = rolling((-3).into(), 0.into());
            v["replicas"] = 3.into();
            v
        }),
        ("ReplicaSet", json!({"replicas": -2_147_483_648_i64, "minReadySeconds": most})),
        ("StatefulSet", json!({"replicas": 2, "ordinals": {"start": most}})),
        ("StatefulSet", json!({"replicas": -1, "revisionHistoryLimit": -1, "minReadySeconds": most})),
        (
            "StatefulSet",
            json!({"replicas": 2, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": -1, "maxUnavailable": "99999%"}}}),
        ),
        (
            "DaemonSet",
            json!({"minReadySeconds": most, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "-50%", "maxSurge": most}}}),
        ),
        ("Job", json!({"parallelism": -1, "completions": -1, "backoffLimit": -1})),
        ("Job", json!({"parallelism": 2, "completions": most, "backoffLimit": most, "completionMode": "Indexed"})),
        (
            "Job",
            json!({"parallelism": 2, "completions": 2, "activeDeadlineSeconds": long, "ttlSecondsAfterFinished": most, "backoffLimit": 6}),
        ),
        (
            "Job",
            json!({"parallelism": 2, "completions": 2, "activeDeadlineSeconds": -1, "ttlSecondsAfterFinished": -1, "backoffLimit": 6}),
        ),
        (
            "Job",
            json!({"parallelism": 2, "completions": 3, "completionMode": "Indexed", "backoffLimitPerIndex": most, "maxFailedIndexes": most, "backoffLimit": most}),
        ),
    ]
}

async fn ask(run: &Run, kind: &str, value: &Value) {
    match kind {
        "Deployment" => drop(run.create::<Deployment>(value).await),
        "ReplicaSet" => drop(run.create::<ReplicaSet>(value).await),
        "StatefulSet" => drop(run.create::<StatefulSet>(value).await),
        "DaemonSet" => drop(run.create::<DaemonSet>(value).await),
        "Job" => drop(run.create::<Job>(value).await),
        other => panic!("no {other} here"),
    }
}

#[test]
fn absurd_numbers_hurt_nobody() {
    let all = [
        deployment::start,
        replica_set::start,
        stateful_set::start,
        daemon_set::start,
        job::start,
        ttl_after_finished::start,
    ];
    for (kind, spec) in absurd() {
        calmly(&cast(&all), |run| {
            let (value, spec) = (workload(kind, &spec), spec.clone());
            async move {
                ask(&run, kind, &value).await;
                run.seconds(300).await;
                let endless = spec["completions"] == i32::MAX;
                let written = run.rules.all_writes();
                assert!(endless || written < 400, "{kind} {spec}: {written} writes");
            }
        });
    }
}

#[test]
fn a_pod_with_thousands_of_terms_is_placed_and_so_is_the_next() {
    calmly(&cast(&[]), |run| async move {
        let term = |n: usize| json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": format!("a{n}")}}});
        let terms: Vec<Value> = (0..5000).map(term).collect();
        let weighted: Vec<Value> =
            (0..5000).map(|n| json!({"weight": n % 100 + 1, "podAffinityTerm": term(n)})).collect();
        let nodes: Vec<Value> = (0..5000).map(|n| json!({"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [format!("n{n}")]}]})).collect();
        for name in ["big", "bigger"] {
            let mut pod = template();
            pod["metadata"] = json!({"name": name, "namespace": "default", "labels": {"app": "a17"}});
            pod["spec"]["affinity"] = json!({
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms},
                "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighted},
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": nodes}},
            });
            run.create::<Pod>(&pod).await;
        }
        let mut small = template();
        small["metadata"] = json!({"name": "small", "namespace": "default", "labels": {"app": "b"}});
        run.create::<Pod>(&small).await;
        let pods = run.until_pods(|pods| pods.iter().filter(|p| is_up(p)).count() == 3).await;
        let of = |name: &str| pods.iter().find(|p| p.name() == name).and_then(node).map(str::to_owned);
        assert_ne!(of("big"), of("bigger"), "each repels the other");
    });
}

async fn set_ready(run: &Run, name: &str, ready: bool) {
    let status = if ready { "True" } else { "Unknown" };
    let now = nakhoda_api::time::now_rfc3339(nakhoda_client::clock::now());
    let body = json!({"status": {"conditions": [{"type": "Ready", "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now}]}});
    let api = run.client().all::<Node>();
    api.patch_sub::<Node>(name, "status", &Patch::merge(&body)).await.expect("memory refuses nobody");
}

#[test]
fn a_node_that_flaps_every_second_loses_no_pod_and_makes_few_writes() {
    calmly(&cast(&[node_lifecycle::start, taint_eviction::start, replica_set::start]), |run| async move {
        let mut patient = workload("ReplicaSet", &json!({"replicas": 6}));
        patient["spec"]["template"]["spec"]["tolerations"] = json!([
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        ]);
        run.create::<ReplicaSet>(&renamed(patient, "x")).await;
        run.until_pods(|pods| pods.iter().filter(|p| is_up(p)).count() == 6).await;
        let uids = |pods: &[Pod]| pods.iter().map(|p| p.uid().to_owned()).collect::<Vec<_>>();
        let (before, written) = (uids(&run.pods().await), run.rules.all_writes());
        for second in 0..600 {
            for name in ["node-0", "node-2"] {
                set_ready(&run, name, true).await;
            }
            set_ready(&run, "node-1", second % 2 == 0).await;
            run.second().await;
        }
        // Three writes a second are ours; a flap may cost a taint added and one taken away, and pods told unready.
        let theirs = run.rules.all_writes() - written - 3 * 600;
        assert!(theirs <= 600 * 4, "{theirs} writes in 600 seconds");
        assert_eq!(uids(&run.pods().await), before, "nobody was driven out");
    });
}
