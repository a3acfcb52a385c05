//! Policies on a whole server.

use serde_json::{Value, json};

use crate::testing::Server;

async fn bound(server: &Server, name: &str, spec: Value) {
    let mut whole = json!({"failurePolicy": "Fail", "reinvocationPolicy": "Never", "matchConstraints": {"resourceRules": [
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]}});
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    let version = "admissionregistration.k8s.io/v1";
    let policy = json!({"apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": whole});
    server.create("mutatingadmissionpolicies", "", &policy).await.expect("a policy");
    let binding = json!({"apiVersion": version, "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name}});
    server.create("mutatingadmissionpolicybindings", "", &binding).await.expect("a binding");
    for plural in ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"] {
        server.names(plural, "", Default::default()).await.expect("a list");
    }
}

fn patch(expression: &str) -> Value {
    json!([{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}])
}

fn map(name: &str, data: &Value) -> Value {
    json!({"metadata": {"name": name}, "data": data})
}

#[tokio::test]
async fn operations_change_what_is_made() {
    let server = Server::start().await;
    let variables = json!([{"name": "who", "expression": "request.userInfo.username"}]);
    let change = "[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a.b'), value: variables.who}]";
    bound(&server, "who", json!({"variables": variables, "mutations": patch(change)})).await;
    let made = server.create("configmaps", "default", &map("a", &json!({"x": "y"}))).await.expect("made");
    assert_eq!(made["data"], json!({"a.b": "system:apiserver", "x": "y"}));
}

#[tokio::test]
async fn a_test_that_is_not_passed_leaves_the_object_as_it_was() {
    let server = Server::start().await;
    let change = "[JSONPatch{op: 'test', path: '/data/x', value: 'z'}, JSONPatch{op: 'remove', path: '/data/x'}]";
    bound(&server, "tests", json!({"mutations": patch(change)})).await;
    let made = server.create("configmaps", "default", &map("a", &json!({"x": "y"}))).await.expect("made");
    assert_eq!(made["data"], json!({"x": "y"}));
}

#[tokio::test]
async fn a_mutation_that_fails_refuses_unless_it_may_fail() {
    let server = Server::start().await;
    let change = "[JSONPatch{op: 'add', path: '/data/x', value: object.data.none}]";
    bound(&server, "fails", json!({"mutations": patch(change)})).await;
    let refused = server.create("configmaps", "default", &map("a", &json!({"x": "y"}))).await.expect_err("refused");
    assert_eq!(
        refused.message,
        format!("policy 'fails' with binding 'fails' denied request: expression '{change}' resulted in error: no such key: none")
    );
    assert_eq!(refused.code, 403);
    let ignore = json!({"spec": {"failurePolicy": "Ignore"}});
    server.patch("mutatingadmissionpolicies", "", "fails", &ignore).await.expect("changed");
    server.names("mutatingadmissionpolicies", "", Default::default()).await.expect("a list");
    server.create("configmaps", "default", &map("a", &json!({"x": "y"}))).await.expect("let through");
}

#[tokio::test]
async fn who_is_willing_sees_what_came_after_it() {
    let server = Server::start().await;
    let first = "has(object.data.second) ? [JSONPatch{op: 'add', path: '/data/saw', value: 'it'}] : []";
    bound(&server, "a", json!({"reinvocationPolicy": "IfNeeded", "mutations": patch(first)})).await;
    let second = "[JSONPatch{op: 'add', path: '/data/second', value: 'x'}]";
    bound(&server, "b", json!({"mutations": patch(second)})).await;
    let made = server.create("configmaps", "default", &map("a", &json!({"x": "y"}))).await.expect("made");
    assert_eq!(made["data"], json!({"saw": "it", "second": "x", "x": "y"}));
}

#[tokio::test]
async fn a_configuration_is_merged_into_what_is_made() {
    let server = Server::start().await;
    let change = "Object{metadata: Object.metadata{annotations: {'by': 'policy'}}, data: {'added': object.data.x}}";
    let mutations = json!([{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": change}}]);
    bound(&server, "merges", json!({"mutations": mutations})).await;
    let made = server.create("configmaps", "default", &map("a", &json!({"x": "y"}))).await.expect("made");
    assert_eq!(made["data"], json!({"added": "y", "x": "y"}));
    assert_eq!(made["metadata"]["annotations"], json!({"by": "policy"}));
}
