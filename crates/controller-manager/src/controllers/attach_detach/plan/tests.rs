use serde_json::{Value, json};

use super::*;

const VOLUME: &str = "kubernetes.io/csi/d.example^h";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn node(ready: &str, in_use: &[&str], attached: &[&str], taint: Option<&str>) -> Node {
    let taints: Vec<Value> = taint.iter().map(|key| json!({"key": key, "effect": "NoExecute"})).collect();
    let attached: Vec<Value> = attached.iter().map(|name| json!({"name": name, "devicePath": ""})).collect();
    let node = json!({
        "metadata": {"name": "n", "annotations": {MANAGED: "true"}},
        "spec": {"taints": taints},
        "status": {"conditions": [{"type": "Ready", "status": ready}], "volumesInUse": in_use, "volumesAttached": attached},
    });
    serde_json::from_value(node).expect("a node")
}

fn volume(exclusive: bool) -> Volume {
    Volume { name: "pv".into(), driver: "d.example".into(), handle: "h".into(), exclusive }
}

fn pod(namespace: &str, name: &str) -> Arc<Pod> {
    let uid = format!("{namespace}-{name}");
    let pod = json!({"metadata": {"namespace": namespace, "name": name, "uid": uid}});
    Arc::new(serde_json::from_value(pod).expect("a pod"))
}

fn wanted(exclusive: bool, taken: bool, others: &[Arc<Pod>]) -> Vec<Wanted> {
    vec![Wanted { volume: volume(exclusive), pods: vec![pod("a", "p")], taken, others: others.to_vec() }]
}

fn attachment(status: Value) -> Vec<Attachment> {
    let mut object = volume(true).attachment("n");
    object.status = serde_json::from_value(status).expect("a status");
    vec![Attachment { object: Arc::new(object), volume: Some(VOLUME.into()) }]
}

fn attached() -> Vec<Attachment> {
    attachment(json!({"attached": true}))
}

fn reported(plan: &Plan) -> Option<Vec<&str>> {
    plan.report.as_ref().map(|all| all.iter().map(|attached| attached.name.as_str()).collect())
}

fn told(plan: &Plan) -> Vec<(bool, &str)> {
    plan.told.iter().map(|(_, told)| (told.warning, told.message.as_str())).collect()
}

#[test]
fn a_volume_is_attached_told_once_and_reported() {
    let (mut memory, bare) = (Memory::default(), node("True", &[], &[], None));
    let view = |attachments| View { node: Some(&bare), wanted: wanted(true, false, &[]), attachments };
    let first = plan(&view(Vec::new()), &mut memory, at(0));
    assert_eq!((&first.attach, reported(&first)), (&vec![volume(true)], None));
    let waits = plan(&view(attachment(json!({"attached": false}))), &mut memory, at(1));
    assert!(waits.attach.is_empty() && waits.told.is_empty() && waits.report.is_none());
    let done = plan(&view(attached()), &mut memory, at(2));
    assert_eq!(reported(&done), Some(vec![VOLUME]));
    assert_eq!(told(&done), [(false, "AttachVolume.Attach succeeded for volume \"pv\" ")]);
    assert!(told(&plan(&view(attached()), &mut memory, at(3))).is_empty(), "the status is on its way");
}

#[test]
fn what_a_driver_says_is_told_when_it_says_something_else() {
    let (mut memory, bare) = (Memory::default(), node("True", &[], &[], None));
    let mut look = |error: &str| {
        let attachments = attachment(json!({"attached": false, "attachError": {"message": error}}));
        told(&plan(&View { node: Some(&bare), wanted: wanted(true, false, &[]), attachments }, &mut memory, at(0))).len()
    };
    assert_eq!([look("no"), look("no"), look("never")], [1, 0, 1]);
}

#[test]
fn an_exclusive_volume_waits_for_the_other_node_and_a_shared_one_does_not() {
    let bare = node("True", &[], &[], None);
    let view = |wanted| View { node: Some(&bare), wanted, attachments: Vec::new() };
    let (own, foreign) = (pod("a", "q"), pod("b", "r"));
    let prefix = "Multi-Attach error for volume \"pv\" Volume is already ";
    for (others, rest) in [
        (vec![], "exclusively attached to one node and can't be attached to another"),
        (vec![own.clone()], "used by pod(s) q"),
        (vec![own, foreign.clone()], "used by pod(s) q and 1 pod(s) in different namespaces"),
        (vec![foreign], "used by 1 pod(s) in different namespaces"),
    ] {
        let mut memory = Memory::default();
        let blocked = plan(&view(wanted(true, true, &others)), &mut memory, at(0));
        assert_eq!((blocked.attach.len(), told(&blocked)), (0, vec![(true, format!("{prefix}{rest}").as_str())]));
        assert!(plan(&view(wanted(true, true, &others)), &mut memory, at(1)).told.is_empty(), "told once");
    }
    assert_eq!(plan(&view(wanted(false, true, &[])), &mut Memory::default(), at(0)).attach.len(), 1);
}

#[test]
fn what_nobody_needs_is_detached_once_it_is_unmounted_and_by_force_only_from_a_node_that_fails() {
    let full = |ready, taint| node(ready, &[VOLUME], &[VOLUME], taint);
    let look = |node: Option<&Node>, memory: &mut Memory, second| {
        let found = plan(&View { node, wanted: Vec::new(), attachments: attached() }, memory, at(second));
        (found.detach.len(), reported(&found).map(|all| all.len()), found.again.map(|wait| wait.as_secs()))
    };
    let unmounted = node("True", &[], &[VOLUME], None);
    assert_eq!(look(Some(&unmounted), &mut Memory::default(), 0), (1, Some(0), None));
    let mut memory = Memory::default();
    assert_eq!(look(Some(&full("True", None)), &mut memory, 0), (0, None, None), "still mounted");
    assert_eq!(look(Some(&full("True", None)), &mut memory, 10_000), (0, None, None), "the kubelet will tell");
    let mut memory = Memory::default();
    assert_eq!(look(Some(&full("Unknown", None)), &mut memory, 0), (0, None, Some(360)));
    assert_eq!(look(Some(&full("Unknown", None)), &mut memory, 360), (0, None, Some(0)));
    assert_eq!(look(Some(&full("Unknown", None)), &mut memory, 361), (1, Some(0), None));
    let out = full("Unknown", Some(OUT_OF_SERVICE));
    assert_eq!(look(Some(&out), &mut Memory::default(), 0), (1, Some(0), None));
    let mut memory = Memory::default();
    assert_eq!(look(None, &mut memory, 0), (0, None, Some(360)), "a node that is gone");
    assert_eq!(look(None, &mut memory, 361), (1, None, None));
}

#[test]
fn a_pod_that_comes_back_in_time_keeps_its_volume_and_the_time_counts_anew() {
    let (mut memory, broken) = (Memory::default(), node("Unknown", &[VOLUME], &[VOLUME], None));
    let mut look = |wanted: Vec<Wanted>, second| {
        let view = View { node: Some(&broken), wanted, attachments: attached() };
        plan(&view, &mut memory, at(second)).detach.len()
    };
    assert_eq!([look(vec![], 0), look(wanted(true, false, &[]), 300), look(vec![], 400), look(vec![], 761)], [0, 0, 0, 1]);
}

#[test]
fn a_kubelet_that_attaches_itself_is_left_alone() {
    let mut own = node("True", &[], &[], None);
    own.metadata.annotations = None;
    let view = View { node: Some(&own), wanted: wanted(true, false, &[]), attachments: Vec::new() };
    let nothing = plan(&view, &mut Memory::default(), at(0));
    assert!(nothing.attach.is_empty() && nothing.report.is_none());
}
