use serde_json::{Value, json};

use super::*;
use crate::GroupVersionKind;
use crate::apply::Schema;

fn set(fields: &Value) -> Set {
    Set::from_fields(fields.as_object().expect("an object")).expect("reads")
}

fn told(set: &Set) -> Value {
    Value::Object(set.to_fields())
}

fn texts(set: &Set) -> Vec<String> {
    set.paths().iter().map(|path| path.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn sets_are_read_and_written_as_they_stand() {
    let fields = json!({
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {".": {}, "f:image": {}}}},
    });
    assert_eq!(told(&set(&fields)).to_string(), fields.to_string());
    assert_eq!(
        texts(&set(&fields)),
        [
            ".metadata.labels",
            ".metadata.labels.a",
            ".spec.containers[name=\"c\"]",
            ".spec.containers[name=\"c\"].image"
        ]
    );
}

#[test]
fn sets_out_of_order_are_put_in_order_and_unknown_steps_passed_over() {
    let found = set(&json!({"f:b": {}, "f:a": {".": {}, "x:y": {}}, "q:1": {}}));
    assert_eq!(told(&found), json!({"f:a": {}, "f:b": {}}));
    assert!(Set::from_fields(json!({"f:a": 1}).as_object().expect("an object")).is_err());
}

#[test]
fn the_four_operations_agree_with_plain_sets_of_paths() {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let names = ["a", "b", "c"];
    for _ in 0..500 {
        let mut some = || {
            let mut set = Set::default();
            for _ in 0..random(8) {
                let path: Vec<_> = (0..=random(3)).map(|_| Element::field(names[random(3) as usize])).collect();
                set.insert(&path);
            }
            set
        };
        let (a, b) = (some(), some());
        let is_below = |path: &[Element]| (1..=path.len()).any(|end| b.has(&path[..end]));
        let all: Vec<_> = a.union(&b).paths();
        let expect = |keep: &dyn Fn(&[Element]) -> bool| {
            let mut set = Set::default();
            all.iter().filter(|path| keep(path)).for_each(|path| set.insert(path));
            set
        };
        assert_eq!(a.union(&b), expect(&|p| a.has(p) || b.has(p)));
        assert_eq!(a.intersection(&b), expect(&|p| a.has(p) && b.has(p)));
        assert_eq!(a.difference(&b), expect(&|p| a.has(p) && !b.has(p)));
        assert_eq!(a.clone().outside(&b), expect(&|p| a.has(p) && !is_below(p)));
        let mut left = a.clone();
        left.subtract(&b);
        assert_eq!(left, a.difference(&b));
        assert_eq!(a.clone().or(b.clone()), a.union(&b));
    }
}

#[test]
fn named_fields_on_the_way_become_members_and_entries_of_maps_do_not() {
    let schema = Schema::of(&GroupVersionKind::new("", "v1", "Pod")).expect("a known kind");
    let found = set(&json!({"f:metadata": {"f:labels": {"f:a": {}}}})).named(schema.root());
    assert_eq!(told(&found), json!({"f:metadata": {".": {}, "f:labels": {".": {}, "f:a": {}}}}));
}

#[test]
fn what_became_one_value_is_owned_as_a_whole() {
    let schema = Schema::of(&GroupVersionKind::new("", "v1", "Pod")).expect("a known kind");
    let found = set(&json!({"f:spec": {"f:nodeSelector": {"f:a": {}}, "f:hostname": {}}}));
    assert_eq!(told(&found.reconciled(schema.root())), json!({"f:spec": {"f:hostname": {}, "f:nodeSelector": {}}}));
}
