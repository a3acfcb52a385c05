use serde_json::{Value, json};

use crate::Object;
use crate::patch::{PatchKind, apply};

fn pod(spec: Value) -> Object {
    Object::from_value(json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": spec}))
        .expect("an object")
}

fn patched(spec: Value, patch: Value) -> Value {
    let patch = json!({ "spec": patch }).to_string();
    let out = apply(PatchKind::Strategic, &pod(spec), patch.as_bytes()).expect("applies");
    out.at(&["spec"]).cloned().expect("a spec")
}

fn refused(spec: Value, patch: Value) -> (u16, String) {
    let patch = json!({ "spec": patch }).to_string();
    let status = apply(PatchKind::Strategic, &pod(spec), patch.as_bytes()).expect_err("does not apply");
    (status.code, status.message)
}

#[test]
fn lists_of_objects_merge_by_their_key() {
    let out = patched(
        json!({"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "2"}]}),
        json!({"containers": [{"name": "a", "image": "3", "env": [{"name": "Y", "value": "2"}]}, {"name": "c", "image": "4"}]}),
    );
    assert_eq!(
        out,
        json!({"containers": [
            {"name": "a", "image": "3", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}]},
            {"name": "c", "image": "4"},
            {"name": "b", "image": "2"},
        ]})
    );
}

#[test]
fn items_are_deleted_and_lists_replaced_by_directive() {
    let spec = json!({"containers": [{"name": "a"}, {"name": "b"}]});
    let delete = json!({"containers": [{"$patch": "delete", "name": "a"}]});
    assert_eq!(patched(spec.clone(), delete), json!({"containers": [{"name": "b"}]}));
    let replace = json!({"containers": [{"name": "c"}, {"$patch": "replace"}]});
    assert_eq!(patched(spec.clone(), replace), json!({"containers": [{"name": "c"}]}));
    let merge = json!({"containers": [{"$patch": "merge", "name": "a"}]});
    assert_eq!(refused(spec, merge).0, 500);
}

#[test]
fn maps_are_replaced_and_deleted_by_directive() {
    let spec = json!({"nodeSelector": {"a": "1"}, "securityContext": {"runAsUser": 1}});
    let out = patched(spec.clone(), json!({"nodeSelector": {"$patch": "replace", "b": "2"}}));
    assert_eq!(out["nodeSelector"], json!({"b": "2"}));
    let out = patched(spec.clone(), json!({"securityContext": {"$patch": "delete"}}));
    assert_eq!(out["securityContext"], json!({}));
    let out = patched(
        spec,
        json!({"nodeSelector": {"a": null, "c": "3"}, "hostname": null, "tolerations": [{"key": "k", "value": null}]}),
    );
    assert_eq!(out["nodeSelector"], json!({"c": "3"}));
    assert_eq!(out["tolerations"], json!([{"key": "k"}]));
    assert_eq!(out.get("hostname"), None);
}

#[test]
fn lists_without_a_strategy_are_replaced() {
    let spec = json!({"tolerations": [{"key": "a"}], "containers": [{"name": "c", "args": ["x", "y"]}]});
    let out = patched(spec, json!({"tolerations": [{"key": "b"}], "containers": [{"name": "c", "args": ["z"]}]}));
    assert_eq!(out["tolerations"], json!([{"key": "b"}]));
    assert_eq!(out["containers"][0]["args"], json!(["z"]));
}

#[test]
fn scalars_merge_as_sets_and_are_deleted_by_a_parallel_list() {
    let mut object = pod(json!({}));
    object.set_meta("finalizers", json!(["a", "b", "c"]));
    let run = |patch: Value| {
        let out =
            apply(PatchKind::Strategic, &object, json!({"metadata": patch}).to_string().as_bytes()).expect("applies");
        out.at(&["metadata", "finalizers"]).cloned()
    };
    assert_eq!(run(json!({"finalizers": ["b", "d"]})), Some(json!(["a", "b", "d", "c"])));
    assert_eq!(run(json!({"$deleteFromPrimitiveList/finalizers": ["b"]})), Some(json!(["a", "c"])));
    assert_eq!(
        run(json!({"$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["c", "b"]})),
        Some(json!(["c", "b"]))
    );
}

#[test]
fn the_order_of_elements_can_be_set() {
    let spec = json!({"containers": [{"name": "a"}, {"name": "x"}, {"name": "b"}, {"name": "c"}]});
    let out = patched(
        spec.clone(),
        json!({
            "$setElementOrder/containers": [{"name": "c"}, {"name": "n"}, {"name": "a"}, {"name": "b"}],
            "containers": [{"name": "n", "image": "i"}, {"name": "a", "image": "j"}]
        }),
    );
    assert_eq!(
        out["containers"],
        json!([{"name": "x"}, {"name": "c"}, {"name": "n", "image": "i"}, {"name": "a", "image": "j"}, {"name": "b"}])
    );
    let wrong = json!({"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "n"}]});
    assert_eq!(refused(spec, wrong).0, 500);
}

#[test]
fn retained_keys_push_out_the_others() {
    let spec = json!({"volumes": [{"name": "v", "emptyDir": {}}]});
    let out = patched(
        spec.clone(),
        json!({"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}),
    );
    assert_eq!(out["volumes"], json!([{"name": "v", "hostPath": {"path": "/x"}}]));
    let wrong = json!({"volumes": [{"name": "v", "$retainKeys": ["name"], "hostPath": {"path": "/x"}}]});
    assert_eq!(refused(spec, wrong), (400, "invalid patch format of retainKeys".into()));
}

#[test]
fn ports_merge_by_their_number() {
    let spec = json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]});
    let out = patched(
        spec,
        json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}]}),
    );
    assert_eq!(
        out["containers"][0]["ports"],
        json!([{"containerPort": 80, "protocol": "TCP", "name": "http"}, {"containerPort": 81}])
    );
}

#[test]
fn an_item_needs_its_merge_key() {
    let (code, message) = refused(json!({"containers": [{"name": "a"}]}), json!({"containers": [{"image": "x"}]}));
    assert_eq!(code, 500);
    assert!(message.contains("does not contain declared merge key: name"), "{message}");
}

#[test]
fn custom_resources_have_no_strategic_merge() {
    let custom = Object::from_value(json!({"kind": "Foo", "apiVersion": "e.com/v1"})).expect("an object");
    let status = apply(PatchKind::Strategic, &custom, b"{}").expect_err("does not apply");
    assert_eq!((status.code, &*status.message), (400, "strategic merge patch format is not supported"));
}
