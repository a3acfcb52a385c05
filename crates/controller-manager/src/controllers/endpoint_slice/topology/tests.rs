use nakhoda_api::kinds::discovery::EndpointConditions;
use serde_json::json;

use super::*;
use crate::slices::Shape;

fn node(zone: &str, cpu: &str, ready: &str, role: &str) -> Arc<Node> {
    let node = json!({"metadata": {"labels": {"topology.kubernetes.io/zone": zone, role: ""}},
        "status": {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": ready}]}});
    Arc::new(serde_json::from_value(node).expect("a node"))
}

fn endpoint(name: &str, zone: &str, ready: bool) -> Endpoint {
    Endpoint {
        addresses: vec![name.into()],
        conditions: Some(EndpointConditions { ready: Some(ready), ..EndpointConditions::default() }),
        zone: Some(zone.to_owned()).filter(|zone| !zone.is_empty()),
        ..Endpoint::default()
    }
}

fn shape() -> Shape {
    Shape {
        namespace: "default".into(),
        service: "web".into(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        owner: nakhoda_api::kinds::meta::OwnerReference::default(),
        capacity: 3,
    }
}

/// The slices as they are after a pass: named, in order.
fn pass(zones: &[&str], shares: Option<&Shares>, existing: &[Arc<EndpointSlice>]) -> (Plan, Result<(), Refusal>) {
    let endpoints = zones.iter().enumerate().map(|(at, zone)| endpoint(&format!("10.0.0.{at}"), zone, true)).collect();
    let mut groups = vec![Group { address_type: "IPv4".into(), ports: Vec::new(), endpoints }];
    carry(&mut groups, existing);
    let mut plan = Plan::new(&shape(), groups, existing);
    let given = give(&mut plan, existing, "IPv4", shares);
    (plan, given)
}

fn stored(plan: Plan) -> Vec<Arc<EndpointSlice>> {
    let named = |(at, mut slice): (usize, EndpointSlice)| {
        slice.metadata.name = Some(format!("web-{at}"));
        Arc::new(slice)
    };
    plan.create.into_iter().enumerate().map(named).collect()
}

fn even() -> Shares {
    [("a".to_owned(), 0.5), ("b".to_owned(), 0.5)].into()
}

#[test]
fn zones_weigh_as_the_cpu_of_their_ready_nodes_does() {
    let (a, b) = (node("a", "3", "True", "x"), node("b", "1000m", "True", "x"));
    let control = node("c", "9", "True", "node-role.kubernetes.io/control-plane");
    let broken = node("c", "9", "Unknown", "x");
    let expected: Shares = [("a".to_owned(), 0.75), ("b".to_owned(), 0.25)].into();
    assert_eq!(shares(&[a.clone(), b.clone(), control, broken]), Some(expected));
    assert_eq!(shares(std::slice::from_ref(&a)), None, "one zone");
    assert_eq!(shares(&[a.clone(), b.clone(), node("", "1", "True", "x")]), None, "no zone");
    assert_eq!(shares(&[a, b, node("b", "0", "True", "x")]), None, "no CPU");
}

#[test]
fn the_older_annotation_goes_first() {
    let auto = |annotations: serde_json::Value| {
        is_auto(&serde_json::from_value(json!({"metadata": {"annotations": annotations}})).expect("a service"))
    };
    let [old, new] = ANNOTATIONS;
    assert!(auto(json!({new: "Auto"})) && auto(json!({new: "auto"})) && auto(json!({old: "auto"})));
    assert!(!auto(json!({old: "Disabled", new: "Auto"})) && !auto(json!({new: "AUTO"})) && !auto(json!({})));
}

#[test]
fn endpoints_of_a_full_zone_are_lent_to_an_empty_one() {
    let (plan, given) = pass(&["a", "a", "a", "b"], Some(&even()), &[]);
    assert_eq!(given, Ok(()));
    assert_eq!(hinted(&stored(plan)), [("a".to_owned(), 2), ("b".to_owned(), 2)].into());
}

#[test]
fn what_is_right_stays_and_what_is_not_goes_for_a_reason() {
    let zones = ["a", "a", "b", "b"];
    let first = stored(pass(&zones, Some(&even()), &[]).0);
    assert_eq!(pass(&zones, Some(&even()), &first).0, Plan::default(), "nothing to write");
    let more = pass(&["a", "a", "b", "b", "b", "a"], Some(&even()), &first).0;
    assert_eq!((more.create.len(), more.update.len()), (0, 1), "only the slice that has room");
    let none = |(plan, given): (Plan, Result<(), Refusal>)| {
        let left = stored(Plan { create: plan.update, ..Plan::default() });
        assert_eq!((hinted(&left), left.len()), (Counts::new(), first.len()));
        given.expect_err("refused")
    };
    assert_eq!(none(pass(&zones, None, &first)), Refusal::Nodes);
    assert_eq!(none(pass(&["a", "a", "b", ""], Some(&even()), &first)), Refusal::NoZone);
    let three: Shares = [("a".to_owned(), 0.34), ("b".to_owned(), 0.33), ("c".to_owned(), 0.33)].into();
    let refused = none(pass(&zones, Some(&three), &first));
    assert_eq!(refused, Refusal::Overload(4, 3));
    assert!(refused.to_string().ends_with("(4 endpoints, 3 zones)"));
}
