//! Configurations that upstream takes or refuses, with its words.

use super::*;

fn faults(text: &str) -> Vec<String> {
    let head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n";
    let file = Configuration::parse(format!("{head}{text}").as_bytes()).expect("a configuration");
    let outcome = check(&file, &["https://own".to_owned()]);
    outcome.err().iter().flat_map(|errors| errors.iter()).map(ToString::to_string).collect()
}

fn one(issuer: &str, rest: &str) -> String {
    format!("jwt:\n- issuer: {{audiences: [me], {issuer}}}\n  {rest}")
}

const NAME: &str = "claimMappings: {username: {claim: sub, prefix: ''}}";

#[test]
fn nothing_and_a_plain_issuer_are_taken() {
    assert_eq!(faults("jwt: []"), [""; 0]);
    assert_eq!(faults(&one("url: 'https://a'", NAME)), [""; 0]);
    assert_eq!(faults(&one("url: 'https://a', discoveryURL: 'https://b/x'", NAME)), [""; 0]);
}

#[test]
fn issuers_are_refused_in_upstreams_words() {
    for (issuer, fault) in [
        ("url: ''", "jwt[0].issuer.url: Required value"),
        ("url: 'http://a'", r#"jwt[0].issuer.url: Invalid value: "http://a": URL scheme must be https"#),
        (
            "url: 'https://u:p@a'",
            r#"jwt[0].issuer.url: Invalid value: "https://u:p@a": URL must not contain a username or password"#,
        ),
        ("url: 'https://a?b'", r#"jwt[0].issuer.url: Invalid value: "https://a?b": URL must not contain a query"#),
        ("url: 'https://a#b'", r#"jwt[0].issuer.url: Invalid value: "https://a#b": URL must not contain a fragment"#),
        (
            "url: 'https://own'",
            r#"jwt[0].issuer.url: Invalid value: "https://own": URL must not overlap with disallowed issuers: [https://own]"#,
        ),
        (
            "url: 'https://a', discoveryURL: 'https://a/'",
            r#"jwt[0].issuer.discoveryURL: Invalid value: "https://a/": discoveryURL must be different from URL"#,
        ),
        (
            "url: 'https://a', certificateAuthority: x",
            r#"jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates"#,
        ),
        (
            "url: 'https://a', audienceMatchPolicy: All",
            r#"jwt[0].issuer.audienceMatchPolicy: Invalid value: "All": audienceMatchPolicy must be empty or MatchAny for single audience"#,
        ),
        (
            "url: 'https://a', egressSelectorType: x",
            r#"jwt[0].issuer.egressSelectorType: Invalid value: "x": egress selector must be either controlplane or cluster"#,
        ),
    ] {
        assert_eq!(faults(&one(issuer, NAME)), [fault], "{issuer}");
    }
    let none =
        "jwt:\n- issuer: {url: 'https://a', audiences: []}\n  claimMappings: {username: {claim: sub, prefix: ''}}";
    assert_eq!(
        faults(none),
        ["jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required"]
    );
}

#[test]
fn rules_and_mappings_are_refused_in_upstreams_words() {
    for (rest, fault) in [
        ("claimMappings: {}", "jwt[0].claimMappings.username: Required value: claim or expression is required"),
        (
            "claimMappings: {username: {claim: sub}}",
            "jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing",
        ),
        (
            "claimMappings: {username: {claim: sub, expression: claims.sub}}",
            r#"jwt[0].claimMappings.username: Invalid value: "": claim and expression can't both be set"#,
        ),
        (
            "claimMappings: {username: {expression: claims.email}}",
            r#"jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression"#,
        ),
        (
            &format!("{NAME}\n  claimValidationRules: [{{}}]"),
            "jwt[0].claimValidationRules[0]: Required value: claim or expression is required",
        ),
        (
            &format!("{NAME}\n  claimValidationRules: [{{expression: '1'}}]"),
            r#"jwt[0].claimValidationRules[0].expression: Invalid value: "1": must evaluate to bool"#,
        ),
        (
            &format!("{NAME}\n  userValidationRules: [{{expression: ''}}]"),
            "jwt[0].userValidationRules[0].expression: Required value",
        ),
        (
            "claimMappings: {username: {claim: sub, prefix: ''}, extra: [{key: a.k8s.io/b, valueExpression: '\"x\"'}]}",
            r#"jwt[0].claimMappings.extra[0].key: Invalid value: "a.k8s.io/b": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"#,
        ),
        (
            "claimMappings: {username: {claim: sub, prefix: ''}, extra: [{key: b, valueExpression: '\"x\"'}]}",
            r#"jwt[0].claimMappings.extra[0].key: Invalid value: "b": must be a domain-prefixed path (such as "acme.io/foo")"#,
        ),
    ] {
        assert_eq!(faults(&one("url: 'https://a'", rest)), [fault], "{rest}");
    }
    let unknown = faults(&one(
        "url: 'https://a'",
        &format!("{NAME}\n  userValidationRules: [{{expression: user.nobody == ''}}]"),
    ));
    assert!(unknown[0].contains("compilation failed: ERROR: <input>:1:5: undefined field 'nobody'"), "{unknown:?}");
}

#[test]
fn an_issuer_stands_there_once_and_conditions_need_the_anonymous() {
    let twice = format!(
        "jwt:\n- issuer: {{audiences: [me], url: 'https://a'}}\n  {NAME}\n- issuer: {{audiences: [me], url: 'https://a'}}\n  {NAME}"
    );
    assert_eq!(faults(&twice), [r#"jwt[1].issuer.url: Duplicate value: "https://a""#]);
    let off = faults("anonymous: {enabled: false, conditions: [{path: /livez}]}");
    assert_eq!(
        off,
        [
            r#"anonymous.conditions: Invalid value: [{"Path":"/livez"}]: enabled should be set to true when conditions are defined"#
        ]
    );
}

#[test]
fn another_kind_or_an_unknown_field_is_no_configuration() {
    let refused = |text: &str| Configuration::parse(text.as_bytes()).is_err();
    assert!(refused("") && refused("apiVersion: v1\nkind: Pod"));
    assert!(refused("apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwts: []"));
}
