use super::*;
use crate::backends::fixtures;
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::apps::{DaemonSetUpdateStrategy, RollingUpdateDaemonSet};

fn node(name: &str) -> Arc<Node> {
    let mut node = Node::default();
    node.metadata.name = Some(name.into());
    Arc::new(node)
}

fn pod(name: &str, node: &str, hash: &str, ready: bool) -> Arc<Pod> {
    let mut pod = fixtures::pod(name, "10.0.0.1", ready);
    pod.spec.as_mut().expect("set").node_name = Some(node.into());
    pod.metadata.labels = Some([(HASH.to_owned(), hash.to_owned())].into());
    Arc::new(pod)
}

fn phase(pod: &Arc<Pod>, phase: &str) -> Arc<Pod> {
    let mut pod = (**pod).clone();
    pod.status.as_mut().expect("set").phase = Some(phase.into());
    Arc::new(pod)
}

fn rolling(surge: i32, unavailable: i32) -> DaemonSet {
    let mut set = DaemonSet::default();
    set.spec.update_strategy = Some(DaemonSetUpdateStrategy {
        type_: Some("RollingUpdate".into()),
        rolling_update: Some(RollingUpdateDaemonSet {
            max_surge: Some(IntOrString::Int(surge)),
            max_unavailable: Some(IntOrString::Int(unavailable)),
        }),
    });
    set
}

fn run(set: &DaemonSet, pods: &[Arc<Pod>]) -> (Vec<String>, Vec<String>) {
    let (sites, strays) = sites(set, &[node("a"), node("b")], pods);
    let plan = Plan::new(set, &sites, strays, "new", Timestamp::UNIX_EPOCH);
    let ended = plan.ended.iter().map(|e| &e.pod);
    (plan.create.clone(), plan.delete.iter().chain(ended).map(|p| p.name().to_owned()).collect())
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|&n| n.to_owned()).collect()
}

#[test]
fn every_node_gets_one_pod_and_no_more() {
    let set = rolling(0, 1);
    assert_eq!(run(&set, &[]), (names(&["a", "b"]), names(&[])));
    let pods = [pod("p1", "a", "new", true), pod("p2", "a", "new", true), pod("p3", "b", "new", true)];
    assert_eq!(run(&set, &pods), (names(&[]), names(&["p2"])));
}

#[test]
fn a_failed_pod_is_deleted_before_its_node_gets_another() {
    let pods = [phase(&pod("p1", "a", "new", false), "Failed"), pod("p2", "b", "new", true)];
    assert_eq!(run(&rolling(0, 1), &pods), (names(&[]), names(&["p1"])));
}

#[test]
fn an_update_deletes_one_pod_that_works_at_a_time() {
    let old = [pod("p1", "a", "old", true), pod("p2", "b", "old", true)];
    assert_eq!(run(&rolling(0, 1), &old), (names(&[]), names(&["p1"])));
    let half = [pod("p3", "a", "new", false), pod("p2", "b", "old", true)];
    assert_eq!(run(&rolling(0, 1), &half), (names(&[]), names(&[])), "the new one does not work yet");
    let broken = [pod("p3", "a", "new", true), pod("p2", "b", "old", false)];
    assert_eq!(run(&rolling(0, 1), &broken), (names(&[]), names(&["p2"])));
}

#[test]
fn with_surge_the_new_pod_comes_first() {
    let old = [pod("p1", "a", "old", true), pod("p2", "b", "old", true)];
    assert_eq!(run(&rolling(1, 0), &old), (names(&["a"]), names(&[])));
    let both = [pod("p1", "a", "old", true), pod("p3", "a", "new", true), pod("p2", "b", "old", true)];
    assert_eq!(run(&rolling(1, 0), &both), (names(&[]), names(&["p1"])));
}

#[test]
fn failures_are_waited_for_longer_each_time() {
    let seconds: Vec<_> = [0, 1, 2, 5, 40].map(|n| backoff(n).as_secs()).into();
    assert_eq!(seconds, [0, 1, 2, 16, LONGEST]);
}
