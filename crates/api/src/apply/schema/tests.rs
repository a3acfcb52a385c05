use serde_json::json;

use super::*;

fn field<'s>(ty: Type<'s>, path: &[&str]) -> Type<'s> {
    path.iter().fold(ty, |ty, name| {
        let atom = ty.resolve();
        let ty = if *name == "[]" { atom.list.map(|list| list.element) } else { atom.map.and_then(|m| m.entry(name)) };
        ty.unwrap_or_else(|| panic!("no {name} in {path:?}"))
    })
}

fn keys(ty: Type<'_>) -> Vec<String> {
    match ty.resolve().list.map(|list| list.relation) {
        Some(Relation::Keys(keys)) => keys.iter().map(str::to_owned).collect(),
        other => panic!("not by keys: {other:?}"),
    }
}

#[test]
fn the_field_table_tells_how_lists_and_maps_of_a_pod_are_owned() {
    let schema = Schema::of(&GroupVersionKind::new("", "v1", "Pod")).expect("a built-in kind");
    let spec = field(schema.root(), &["spec"]);
    assert_eq!(keys(field(spec, &["containers"])), ["name"]);
    let ports = field(spec, &["containers", "[]", "ports"]);
    assert_eq!(keys(ports), ["containerPort", "protocol"]);
    let port = field(ports, &["[]"]).resolve().map.expect("a struct");
    assert_eq!(port.default_of("protocol").as_deref(), Some(&json!("TCP")));
    assert!(field(spec, &["nodeSelector"]).resolve().map.expect("a map").atomic);
    assert!(!field(schema.root(), &["metadata", "labels"]).resolve().map.expect("a map").atomic);
    let finalizers = field(schema.root(), &["metadata", "finalizers"]).resolve();
    assert_eq!(finalizers.list.map(|list| list.relation), Some(Relation::Set));
}

#[test]
fn what_a_field_says_of_a_struct_goes_before_what_the_struct_says() {
    let schema = Schema::of(&GroupVersionKind::new("", "v1", "PersistentVolume")).expect("a built-in kind");
    assert!(!field(schema.root(), &["spec", "claimRef"]).resolve().map.expect("a struct").atomic);
}

#[test]
fn a_structural_schema_is_read_with_the_metadata_of_all_objects() {
    let schema = Schema::structural(
        &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
                "items": {"type": "object", "properties": {
                    "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}}}},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        }}}}),
        false,
    );
    let spec = field(schema.root(), &["spec"]);
    assert_eq!(keys(field(spec, &["ports"])), ["port", "protocol"]);
    let port = field(spec, &["ports", "[]"]).resolve().map.expect("an object");
    assert_eq!(port.default_of("protocol").as_deref(), Some(&json!("TCP")));
    assert_eq!(field(spec, &["tags"]).resolve().list.map(|list| list.relation), Some(Relation::Set));
    assert!(field(spec, &["whole"]).resolve().map.expect("an object").atomic);
    assert!(field(spec, &["free", "anything", "below"]).resolve().list.is_some());
    assert!(spec.resolve().map.expect("an object").entry("unknown").is_none());
    assert_eq!(keys(field(schema.root(), &["metadata", "ownerReferences"])), ["uid"]);
}

#[test]
fn without_a_schema_maps_are_granular_and_lists_are_one_value() {
    let schema = Schema::deduced();
    let atom = field(schema.root(), &["spec", "list"]).deduce(Some(&json!([{"a": 1}])));
    assert_eq!(atom.list.map(|list| list.relation), Some(Relation::Atomic));
    assert!(!schema.root().deduce(Some(&json!({}))).map.expect("a map").atomic);
}
