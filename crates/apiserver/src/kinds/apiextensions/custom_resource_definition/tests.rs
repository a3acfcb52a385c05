use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, prepared, update};

fn crd(change: impl FnOnce(&mut Value)) -> Value {
    let mut crd = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}}],
        },
        "status": {"storedVersions": ["v1"]},
    });
    change(&mut crd);
    crd
}

#[test]
fn names_conversion_and_stored_versions_are_filled_in() {
    let filled = defaulted::<CustomResourceDefinitions>(crd(|crd| {
        crd["spec"]["names"] = json!({"plural": "widgets", "kind": "Widget"});
    }));
    assert_eq!(filled["spec"]["names"]["singular"], "widget");
    assert_eq!(filled["spec"]["names"]["listKind"], "WidgetList");
    assert_eq!(filled["spec"]["conversion"], json!({"strategy": "None"}));
    let made = prepared::<CustomResourceDefinitions>(crd(|crd| crd["status"] = json!({"conditions": []})), None);
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
}

#[test]
fn faults_are_told_in_the_words_of_upstream() {
    type Change = fn(&mut Value);
    let cases: &[(Change, &str)] = &[
        (|_| {}, ""),
        (|c| c["metadata"]["name"] = json!("x"), r#"metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group"#),
        (|c| c["spec"]["scope"] = json!("Some"), r#"spec.scope: Unsupported value: "Some": supported values: "Cluster", "Namespaced""#),
        (|c| c["spec"]["versions"][0]["storage"] = json!(false),
            r#"spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,"Deprecated":false,"DeprecationWarning":null,"Schema":null,"Subresources":null,"AdditionalPrinterColumns":null,"SelectableFields":null}]: must have exactly one version marked as storage version"#),
        (|c| c["spec"]["names"]["listKind"] = json!("Widget"), r#"spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same"#),
        (|c| c["spec"]["versions"][0]["schema"] = json!({}), "spec.versions[0].schema.openAPIV3Schema: Required value"),
        (|c| c["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({}),
            "spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields"),
        (|c| c["spec"]["versions"][0]["additionalPrinterColumns"] = json!([{"name": "A", "type": "odd", "jsonPath": "a"}]),
            r#"[spec.additionalPrinterColumns[0].type: Invalid value: "odd": must be one of boolean,date,integer,number,string, spec.additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path starting with .]"#),
        (|c| c["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec"}]),
            r#"spec.selectableFields[0].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."#),
        (|c| c["spec"]["versions"][0]["subresources"] = json!({"scale": {"specReplicasPath": ".status.n", "statusReplicasPath": ".status.n"}}),
            r#"spec.subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec"#),
        (|c| c["spec"]["preserveUnknownFields"] = json!(true),
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"),
        (|c| c["spec"]["conversion"] = json!({"strategy": "Webhook"}),
            "[spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook, spec.conversion.conversionReviewVersions: Required value]"),
        (|c| c["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                "clientConfig": {"url": "http://a"}}}),
            r#"spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]"#),
    ];
    for (change, told) in cases {
        assert_eq!(create::<CustomResourceDefinitions>(crd(change)), *told);
    }
}

#[test]
fn a_version_that_was_stored_must_remain() {
    let old = crd(|crd| crd["status"]["storedVersions"] = json!(["v1", "v0"]));
    let told = update::<CustomResourceDefinitions>(old.clone(), old);
    assert!(told.starts_with("status.storedVersions[1]: Invalid value: \"v0\": missing from spec.versions"), "{told}");
}

#[test]
fn the_communitys_groups_want_approval() {
    assert!(is_protected("x.k8s.io") && !is_protected("xk8s.io"));
    let of = |said: &str| {
        let annotations = BTreeMap::from([("api-approved.kubernetes.io".to_owned(), said.to_owned())]);
        approval(Some(&annotations)).0
    };
    assert_eq!(approval(None).0, Approval::Missing);
    assert_eq!(of("unapproved, experimental"), Approval::Bypassed);
    assert_eq!(of("https://github.com/x/y/pull/1"), Approval::Approved);
    assert_eq!(of("yes"), Approval::Invalid);
}
