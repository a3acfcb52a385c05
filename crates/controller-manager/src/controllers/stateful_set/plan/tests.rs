use super::*;
use crate::backends::fixtures;
use crate::history::HASH;
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::apps::{RollingUpdateStatefulSetStrategy, StatefulSetUpdateStrategy};
use nakhoda_api::kinds::core::PersistentVolumeClaim;
use nakhoda_api::kinds::meta::{ObjectMeta, Time};

/// A set called `web` that rolls.
pub(crate) fn set(replicas: i32) -> StatefulSet {
    let metadata = ObjectMeta { name: Some("web".into()), uid: Some("set".into()), ..ObjectMeta::default() };
    let mut set = StatefulSet { metadata, ..StatefulSet::default() };
    set.spec.replicas = Some(replicas);
    set.spec.update_strategy = Some(StatefulSetUpdateStrategy {
        type_: Some("RollingUpdate".into()),
        rolling_update: Some(RollingUpdateStatefulSetStrategy { partition: Some(0), max_unavailable: None }),
    });
    set
}

/// A pod of that set.
pub(crate) fn pod(ordinal: i64, revision: &str, ready: bool) -> Arc<Pod> {
    let mut pod = build(&set(9), &version(revision), ordinal);
    pod.metadata.uid = Some(format!("pod-{ordinal}"));
    pod.status = fixtures::pod("x", "10.0.0.1", ready).status;
    pod.status.as_mut().expect("set").phase = Some("Running".into());
    Arc::new(pod)
}

/// A revision without content.
pub(crate) fn version(name: &str) -> Version {
    Version { name: name.into(), template: PodTemplateSpec::default() }
}

fn going(pod: &Arc<Pod>) -> Arc<Pod> {
    let mut pod = (**pod).clone();
    pod.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    Arc::new(pod)
}

fn phase(pod: &Arc<Pod>, phase: &str) -> Arc<Pod> {
    let mut pod = (**pod).clone();
    pod.status.as_mut().expect("set").phase = Some(phase.into());
    Arc::new(pod)
}

fn run(set: &StatefulSet, pods: &[Arc<Pod>]) -> (String, StatefulSetStatus) {
    let (current, update) = (version("old"), version("new"));
    let view = View { set, current: &current, update: &update, now: Timestamp::UNIX_EPOCH };
    let plan = Plan::new(&view, pods, &|_| None);
    (plan.steps.iter().map(name).collect::<Vec<_>>().join(" "), plan.status)
}

fn name(step: &Step) -> String {
    match step {
        Step::Create(pod) => {
            format!("+{}@{}", ordinal(pod).unwrap_or(-1), pod.metadata.labels.as_ref().expect("labelled")[HASH])
        }
        Step::Delete(pod) => format!("-{}", ordinal(pod).unwrap_or(-1)),
        Step::Claim(pod) => format!("claim {}", pod.name()),
        Step::Own(pod) => format!("own {}", pod.name()),
        Step::Repair(pod) => format!("repair {}", pod.name()),
    }
}

fn parallel(replicas: i32) -> StatefulSet {
    let mut set = set(replicas);
    set.spec.pod_management_policy = Some("Parallel".into());
    set
}

fn rolling(mut set: StatefulSet, partition: i32, unavailable: Option<i32>) -> StatefulSet {
    let rolling = set.spec.update_strategy.as_mut().and_then(|s| s.rolling_update.as_mut()).expect("set");
    (rolling.partition, rolling.max_unavailable) = (Some(partition), unavailable.map(IntOrString::Int));
    set
}

#[test]
fn an_ordered_set_makes_one_pod_at_a_time_and_waits_for_it() {
    let [a, b] = [pod(0, "new", true), pod(1, "new", false)];
    let table: [(&str, Vec<Arc<Pod>>, &str); 6] = [
        ("none", vec![], "+0@new"),
        ("first ready", vec![a.clone()], "+1@new"),
        ("second not ready", vec![a.clone(), b], ""),
        ("first not ready", vec![pod(0, "new", false)], ""),
        ("first failed", vec![phase(&a, "Failed"), pod(1, "new", true)], "-0"),
        ("first going", vec![going(&a)], ""),
    ];
    for (case, pods, expected) in table {
        assert_eq!(run(&set(3), &pods).0, expected, "{case}");
    }
    assert_eq!(run(&parallel(3), &[]).0, "+0@new +1@new +2@new");
    assert_eq!(run(&parallel(2), &[phase(&a, "Succeeded")]).0, "-0 +1@new");
}

#[test]
fn a_set_shrinks_from_the_top_and_an_ordered_one_waits_for_each() {
    let pods: Vec<_> = (0..4).map(|n| pod(n, "new", true)).collect();
    assert_eq!(run(&set(1), &pods).0, "-3");
    assert_eq!(run(&parallel(1), &pods).0, "-3 -2 -1");
    let mut sick = pods.clone();
    sick[2] = pod(2, "new", false);
    assert_eq!(run(&set(1), &sick).0, "-3");
    sick[3] = pod(3, "new", false);
    assert_eq!(run(&set(1), &sick).0, "", "the lower sick one comes first, and not while the higher one is there");
    let mut going_down = pods;
    going_down[3] = going(&going_down[3]);
    assert_eq!(run(&set(1), &going_down).0, "");
}

#[test]
fn a_set_starts_at_its_ordinal() {
    let mut set = set(2);
    set.spec.ordinals = Some(nakhoda_api::kinds::apps::StatefulSetOrdinals { start: Some(3) });
    assert_eq!(run(&set, &[]).0, "+3@new");
    assert_eq!(run(&set, &[pod(3, "new", true), pod(4, "new", true), pod(0, "new", true)]).0, "-0");
}

#[test]
fn an_update_goes_down_from_the_top_to_the_partition() {
    let old: Vec<_> = (0..3).map(|n| pod(n, "old", true)).collect();
    assert_eq!(run(&set(3), &old).0, "-2");
    let mut half = old.clone();
    half[2] = pod(2, "new", true);
    assert_eq!(run(&set(3), &half).0, "-1");
    assert_eq!(run(&rolling(set(3), 2, None), &half).0, "");
    half[2] = pod(2, "new", false);
    assert_eq!(run(&parallel(3), &half).0, "", "the new one is not ready yet");
    assert_eq!(run(&rolling(set(3), 2, None), &old[..1]).0, "+1@old");
    assert_eq!(run(&rolling(set(3), 1, None), &old[..1]).0, "+1@new");
    let mut manual = set(3);
    manual.spec.update_strategy = Some(StatefulSetUpdateStrategy { type_: Some("OnDelete".into()), rolling_update: None });
    assert_eq!(run(&manual, &old).0, "");
    assert_eq!(run(&manual, &old[..2]).0, "+2@new");
}

#[test]
fn as_many_pods_give_way_at_once_as_may_be_unavailable() {
    let old: Vec<_> = (0..4).map(|n| pod(n, "old", true)).collect();
    assert_eq!(run(&rolling(set(4), 0, Some(2)), &old).0, "-3 -2");
    let mut half = old.clone();
    half[3] = pod(3, "new", false);
    assert_eq!(run(&rolling(parallel(4), 0, Some(2)), &half).0, "-2");
    assert_eq!(run(&rolling(parallel(4), 3, Some(2)), &half).0, "");
    assert_eq!(run(&rolling(set(4), 0, Some(3)), &old[..4]).1.current_replicas, Some(1));
}

#[test]
fn the_status_counts_by_revision_and_completes_when_all_are_new() {
    let mixed = [pod(0, "old", true), pod(1, "new", false), going(&pod(2, "new", true))];
    let status = run(&parallel(3), &mixed).1;
    assert_eq!((status.replicas, status.ready_replicas, status.available_replicas), (3, Some(2), Some(2)));
    assert_eq!((status.current_replicas, status.updated_replicas), (Some(1), Some(1)));
    assert_eq!(status.current_revision.as_deref(), Some("old"));
    let all: Vec<_> = (0..3).map(|n| pod(n, "new", true)).collect();
    let status = run(&set(3), &all).1;
    assert_eq!((status.current_revision.as_deref(), status.current_replicas), (Some("new"), Some(3)));
}

#[test]
fn a_pod_waits_for_a_claim_that_goes_with_the_one_before_it() {
    let mut set = set(1);
    let metadata = ObjectMeta { name: Some("data".into()), ..ObjectMeta::default() };
    set.spec.volume_claim_templates = Some(vec![PersistentVolumeClaim { metadata, ..Default::default() }]);
    set.spec.persistent_volume_claim_retention_policy =
        Some(nakhoda_api::kinds::apps::StatefulSetPersistentVolumeClaimRetentionPolicy {
            when_deleted: None,
            when_scaled: Some("Delete".into()),
        });
    let mut claim = PersistentVolumeClaim::default();
    let plan = |claim: &PersistentVolumeClaim| {
        let (version, claim) = (version("new"), Arc::new(claim.clone()));
        let view = View { set: &set, current: &version, update: &version, now: Timestamp::UNIX_EPOCH };
        Plan::new(&view, &[], &|_| Some(claim.clone())).steps.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(plan(&claim), ["+0@new"]);
    claim.metadata.owner_references = Some(vec![nakhoda_client::owner(&*pod(0, "new", true))]);
    assert!(plan(&claim).is_empty());
}
