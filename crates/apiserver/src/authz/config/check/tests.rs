//! Configurations that upstream takes or refuses, with its words.

use super::*;

fn faults(authorizers: &str) -> Vec<String> {
    let head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\n";
    let file = Configuration::parse(format!("{head}authorizers: {authorizers}").as_bytes()).expect("a configuration");
    check(&file).err().iter().flat_map(|errors| errors.iter()).map(ToString::to_string).collect()
}

fn hook(changes: &str) -> String {
    let webhook = [
        "authorizedTTL: 1m",
        "unauthorizedTTL: 1m",
        "timeout: 3s",
        "subjectAccessReviewVersion: v1",
        "failurePolicy: Deny",
        "matchConditionSubjectAccessReviewVersion: v1",
        "connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/passwd}",
    ];
    let given = format!("{}:", changes.split(':').next().unwrap_or_default());
    let kept: Vec<&str> = webhook.into_iter().filter(|field| !field.starts_with(&given)).collect();
    let all = kept.join(", ");
    format!("[{{type: Webhook, name: w, webhook: {{{all}, {changes}}}}}]")
}

#[test]
fn the_order_is_free_and_webhooks_may_be_several() {
    assert_eq!(faults("[{type: RBAC, name: rbac}, {type: Node, name: node}]"), [""; 0]);
    assert_eq!(
        faults(&hook("matchConditions: [{expression: \"request.user != 'a' && has(request.resourceAttributes)\"}]")),
        [""; 0]
    );
}

#[test]
fn authorizers_are_refused_in_upstreams_words() {
    for (authorizers, fault) in [
        ("[]", "authorizers: Required value: at least one authorization mode must be defined"),
        ("[{name: a}]", "authorizers[0].type: Required value"),
        (
            "[{type: AlwaysAllow, name: alwaysallow}]",
            r#"authorizers[0].type: Unsupported value: "AlwaysAllow": supported values: "AlwaysDeny", "Node", "RBAC", "Webhook""#,
        ),
        ("[{type: RBAC, name: a}, {type: RBAC, name: b}]", r#"authorizers[1].type: Duplicate value: "RBAC""#),
        ("[{type: RBAC, name: a}, {type: Node, name: a}]", r#"authorizers[1].name: Duplicate value: "a""#),
        ("[{type: Webhook, name: w}]", "authorizers[0].webhook: Required value: required when type=Webhook"),
        (
            "[{type: RBAC, name: a, webhook: {}}]",
            r#"authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook"#,
        ),
    ] {
        assert_eq!(faults(authorizers), [fault], "{authorizers}");
    }
}

#[test]
fn webhooks_are_refused_in_upstreams_words() {
    for (changes, fault) in [
        ("timeout: 0s", "authorizers[0].timeout: Required value"),
        ("timeout: 61s", r#"authorizers[0].timeout: Invalid value: "1m1s": must be > 0s and <= 30s"#),
        ("unauthorizedTTL: 0s", "authorizers[0].unauthorizedTTL: Required value"),
        (
            "subjectAccessReviewVersion: v2",
            r#"authorizers[0].subjectAccessReviewVersion: Unsupported value: "v2": supported values: "v1", "v1beta1""#,
        ),
        (
            "failurePolicy: Ignore",
            r#"authorizers[0].failurePolicy: Unsupported value: "Ignore": supported values: "NoOpinion", "Deny""#,
        ),
        ("connectionInfo: {}", "authorizers[0].connectionInfo.type: Required value"),
        (
            "connectionInfo: {type: KubeConfigFile, kubeConfigFile: a}",
            r#"authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "a": must be an absolute path"#,
        ),
        (
            "matchConditions: [{expression: request.user}]",
            r#"authorizers[0].matchConditions[0].expression: Invalid value: "request.user": must evaluate to bool but got string"#,
        ),
        ("matchConditions: [{expression: ''}]", "authorizers[0].matchConditions[0].expression: Required value"),
    ] {
        assert_eq!(faults(&hook(changes)), [fault], "{changes}");
    }
    let unknown = faults(&hook("matchConditions: [{expression: request.nothing == ''}]"));
    assert!(unknown[0].contains("undefined field 'nothing'"), "{unknown:?}");
}
