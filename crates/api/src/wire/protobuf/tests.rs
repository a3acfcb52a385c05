use serde_json::{Value, json};

use super::*;
use crate::wire::{Media, decode as read, encode};

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn round_trip(value: Value) {
    let object = object(value);
    let bytes = encode(Media::Protobuf, &object).expect("encodes");
    let decoded = read(Media::Protobuf, &bytes, None).expect("decodes").object;
    assert_eq!(decoded, object);
}

#[test]
fn a_pod_survives_the_way_there_and_back() {
    round_trip(json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": "p", "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"a": "b"},
            "managedFields": [{"manager": "m", "time": "2026-01-02T03:04:05Z", "fieldsV1": {"f:spec": {}}}]
        },
        "spec": {
            "volumes": [{"name": "v", "configMap": {"name": "c", "defaultMode": 420}}],
            "containers": [{
                "name": "a", "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
                "lifecycle": {"preStop": {"tcpSocket": {"port": 8080}}},
                "securityContext": {"runAsUser": 0, "privileged": false}
            }],
            "terminationGracePeriodSeconds": 0,
            "ephemeralContainers": [{"name": "e", "image": "i", "targetContainerName": "a"}]
        },
        "status": {"phase": "Running", "startTime": "2026-01-02T03:04:05Z"}
    }));
}

#[test]
fn kinds_with_special_fields_survive_too() {
    round_trip(json!({"kind": "Secret", "apiVersion": "v1", "data": {"a": "aGk="}, "type": "Opaque"}));
    round_trip(json!({
        "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
        "spec": {"holderIdentity": "", "leaseDurationSeconds": 15, "renewTime": "2026-01-02T03:04:05.000006Z"}
    }));
    round_trip(json!({
        "kind": "CertificateSigningRequest", "apiVersion": "certificates.k8s.io/v1",
        "spec": {"request": "aGk=", "signerName": "s", "extra": {"k": ["a", "b"], "e": [""]}}
    }));
    round_trip(json!({
        "kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1",
        "spec": {"group": "e.com", "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
            "type": "object", "default": {"a": [1, null]},
            "properties": {"spec": {"type": "array", "maximum": 1.5, "minimum": 2, "items": {"type": "string"}}},
            "additionalProperties": false, "enum": ["a", 1, null],
            "dependencies": {"x": ["y"], "z": {"type": "object"}}
        }}}]}
    }));
    round_trip(
        json!({"kind": "DeleteOptions", "apiVersion": "apps/v1", "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}, "propagationPolicy": "Foreground"}),
    );
    round_trip(
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "m", "reason": "NotFound", "details": {"name": "x", "causes": [{"reason": "r"}]}, "code": 404}),
    );
}

#[test]
fn a_list_is_put_together_from_its_items() {
    let gvk = GroupVersionKind::new("", "v1", "ConfigMapList");
    let kind = GroupVersionKind::new("", "v1", "ConfigMap");
    let mut items = Vec::new();
    for name in ["a", "b"] {
        let map = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}});
        list_item(&gvk, &kind, map.to_string().as_bytes(), &mut items).expect("encodes");
    }
    let (head, tail) = list_frame(&gvk, br#"{"resourceVersion":"7"}"#, items.len()).expect("encodes");
    let bytes = [head, items, tail].concat();
    let decoded = read(Media::Protobuf, &bytes, None).expect("decodes").object;
    assert_eq!(
        decoded.into_value(),
        json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"},
            "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]})
    );
}

#[test]
fn a_watch_frame_holds_its_length_and_an_unwrapped_event() {
    let frame = watch_event("ADDED", b"k8s\0x");
    assert_eq!(frame, b"\x00\x00\x00\x10\x0a\x05ADDED\x12\x07\x0a\x05k8s\0x");
}

#[test]
fn what_is_no_envelope_or_has_no_protobuf_form_is_refused() {
    assert!(matches!(read(Media::Protobuf, b"{}", None), Err(DecodeError::Protobuf(_))));
    let custom = object(json!({"kind": "Foo", "apiVersion": "e.com/v1"}));
    assert!(matches!(encode(Media::Protobuf, &custom), Err(EncodeError::UnknownKind(_))));
    assert!(matches!(read(Media::Protobuf, b"k8s\0\x12\x05ab", None), Err(DecodeError::Protobuf(_))));
}

#[test]
fn the_default_kind_fills_an_empty_envelope() {
    let gvk = GroupVersionKind::new("", "v1", "DeleteOptions");
    let decoded = read(Media::Protobuf, b"k8s\0\x0a\x00\x12\x02\x08\x05", Some(&gvk)).expect("decodes").object;
    assert_eq!(decoded.into_value(), json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 5}));
}
