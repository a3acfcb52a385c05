//! Policies on a whole server.

use serde_json::{Value, json};

use crate::request::{Action, Write, WriteOptions};
use crate::testing::{Server, json_body, target};

async fn policed(validations: Value) -> Server {
    let server = Server::start().await;
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "small"}, "spec": {
            "matchConstraints": {"resourceRules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]},
            "variables": [{"name": "count", "expression": "has(object.data) ? size(object.data) : 0"}],
            "validations": validations}});
    server.create("validatingadmissionpolicies", "", &policy).await.expect("a policy");
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "all"}, "spec": {"policyName": "small", "validationActions": ["Deny"]}});
    server.create("validatingadmissionpolicybindings", "", &binding).await.expect("a binding");
    for plural in ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] {
        server.names(plural, "", Default::default()).await.expect("a list");
    }
    server
}

#[tokio::test]
async fn a_bound_policy_refuses_what_it_does_not_allow() {
    let server = policed(json!([{"expression": "variables.count <= 1", "message": "too many"}])).await;
    let map = |name: &str, data: Value| json!({"metadata": {"name": name}, "data": data});
    server.create("configmaps", "default", &map("one", json!({"a": "b"}))).await.expect("allowed");
    let refused = server.create("configmaps", "default", &map("two", json!({"a": "b", "c": "d"}))).await.expect_err("refused");
    assert_eq!(
        refused.message,
        "configmaps \"two\" is forbidden: ValidatingAdmissionPolicy 'small' with binding 'all' denied request: too many"
    );
    assert_eq!(refused.code, 422);
}

#[tokio::test]
async fn an_expression_that_fails_refuses() {
    let server = policed(json!([{"expression": "object.data.none == 'x'", "reason": "Forbidden"}])).await;
    let refused = server.create("configmaps", "default", &json!({"metadata": {"name": "a"}})).await.expect_err("refused");
    assert!(refused.message.ends_with("expression 'object.data.none == 'x'' resulted in error: no such key: data"), "{refused}");
}

#[tokio::test]
async fn what_is_only_warned_of_is_let_through_and_told_once() {
    let check = "authorizer.requestResource.check('update').allowed() && variables.count == 0";
    let server = policed(json!([{"expression": check, "messageExpression": "'has ' + string(variables.count)"}])).await;
    let warn = json!({"spec": {"validationActions": ["Warn"]}});
    server.patch("validatingadmissionpolicybindings", "", "all", &warn).await.expect("changed");
    server.names("validatingadmissionpolicybindings", "", Default::default()).await.expect("a list");
    let body = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "one"}, "data": {"a": "b"}});
    let write = Write { body: json_body(&body), options: WriteOptions::default() };
    let target = target(server.pipeline.kinds(), "configmaps", "default", "");
    let Ok(made) = server.call(target, Action::Create(write)).await else { panic!("it is let through") };
    let told = "Validation failed for ValidatingAdmissionPolicy 'small' with binding 'all': has 1";
    assert_eq!(made.warnings, [told]);
}
