use super::*;
use crate::user::User;
use nakhoda_api::GroupVersionResource;
use serde_json::json;

fn asks(node: &str, verb: &str, resource: &str, name: &str) -> Attributes {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let gvr = GroupVersionResource { group: String::new(), version: "v1".into(), resource: resource.into() };
    let target = ResourceTarget {
        gvr,
        namespace: "a".into(),
        name: name.into(),
        subresource: subresource.into(),
        path: String::new(),
    };
    let user = User { name: format!("system:node:{node}"), groups: vec!["system:nodes".into()], ..User::default() };
    Attributes::new(user, verb, Target::Resource(target))
}

fn pod() -> Pod {
    serde_json::from_value(json!({
        "metadata": {"namespace": "a", "name": "p"},
        "spec": {
            "nodeName": "n1", "serviceAccountName": "bot",
            "containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "env"}}]}],
            "volumes": [{"name": "v", "projected": {"sources": [{"configMap": {"name": "ca"}}]}}],
        },
    }))
    .expect("a pod")
}

#[test]
fn a_node_reads_what_its_pods_refer_to_while_they_are_there() {
    let authorizer = NodeAuthorizer::default();
    let allowed = |a: &Attributes| matches!(authorizer.authorize(a), Decision::Allow(_));
    authorizer.put(&pod());
    authorizer.put(&pod());
    assert!(allowed(&asks("n1", "get", "secrets", "env")));
    assert!(allowed(&asks("n1", "watch", "configmaps", "ca")));
    assert!(allowed(&asks("n1", "create", "serviceaccounts/token", "bot")));
    assert!(!allowed(&asks("n1", "get", "secrets", "other")));
    assert!(!allowed(&asks("n1", "list", "secrets", "")));
    assert!(!allowed(&asks("n1", "update", "secrets", "env")));
    assert!(!allowed(&asks("n2", "get", "secrets", "env")));
    authorizer.remove("a", "p");
    assert!(!allowed(&asks("n1", "get", "secrets", "env")));
}

#[test]
fn a_node_reads_the_volumes_of_the_claims_that_its_pods_use() {
    let authorizer = NodeAuthorizer::default();
    let allowed = |a: &Attributes| matches!(authorizer.authorize(a), Decision::Allow(_));
    let mut pod = pod();
    let made = json!({"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}});
    let volumes = &mut pod.spec.as_mut().expect("made with a spec").volumes;
    volumes.get_or_insert_default().push(serde_json::from_value(made).expect("a volume"));
    authorizer.put(&pod);
    let volume = json!({"metadata": {"name": "pv"}, "spec": {"claimRef": {"namespace": "a", "name": "p-scratch"}}});
    authorizer.put_volume(&serde_json::from_value(volume).expect("a volume"));
    assert!(allowed(&asks("n1", "get", "persistentvolumes", "pv")));
    assert!(!allowed(&asks("n1", "list", "persistentvolumes", "")));
    assert!(!allowed(&asks("n1", "get", "persistentvolumes", "other")));
    assert!(!allowed(&asks("n2", "get", "persistentvolumes", "pv")));
    authorizer.remove_volume("pv");
    assert!(!allowed(&asks("n1", "get", "persistentvolumes", "pv")));
}

#[test]
fn a_node_reads_the_archives_that_are_for_it() {
    let authorizer = NodeAuthorizer::default();
    let allowed = |a: &Attributes| matches!(authorizer.authorize(a), Decision::Allow(_));
    assert!(allowed(&asks("n1", "get", "nodes/archives", "n1")));
    assert!(!allowed(&asks("n1", "create", "nodes/archives", "n1")));
    assert!(!allowed(&asks("n1", "get", "nodes/archives", "n2")));
    assert!(!allowed(&asks("n1", "create", "nodes/images", "n1")));
}

#[test]
fn pods_are_listed_by_node_name_only() {
    let authorizer = NodeAuthorizer::default();
    let mut asked = asks("n1", "list", "pods", "");
    assert!(!matches!(authorizer.authorize(&asked), Decision::Allow(_)));
    asked = asked.selecting("spec.nodeName=n1", "");
    assert!(matches!(authorizer.authorize(&asked), Decision::Allow(_)));
    asked = asked.selecting(r"metadata.name=x\,spec.nodeName\=n1", "");
    assert!(!matches!(authorizer.authorize(&asked), Decision::Allow(_)), "a value that only looks like it");
}
