use serde_json::{Value, json};

use super::*;

fn faults(fields: Value) -> String {
    let mut spec =
        json!({"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}});
    for (field, value) in fields.as_object().expect("fields") {
        spec[field] = value.clone();
    }
    let mut spec: JobSpec = serde_json::from_value(spec).expect("a spec");
    default(&mut spec);
    let mut errors = Errors::default();
    validate(&mut errors, &Path::new("spec"), &spec);
    errors.to_string()
}

#[test]
fn a_small_job_is_valid() {
    assert_eq!(faults(json!({"completions": 1, "parallelism": 1, "completionMode": "NonIndexed"})), "");
}

#[test]
fn numbers_are_for_indexed_jobs() {
    assert_eq!(
        faults(json!({"backoffLimitPerIndex": 1, "successPolicy": {"rules": []}})),
        "[spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode, \
         spec.successPolicy: Invalid value: {\"rules\":[]}: requires indexed completion mode]"
    );
    assert_eq!(
        faults(
            json!({"completionMode": "Indexed", "completions": 200_000, "parallelism": 20_000, "backoffLimitPerIndex": 1})
        ),
        "[spec.maxFailedIndexes: Required value: must be specified when completions is above 100000, \
         spec.parallelism: Invalid value: 20000: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index]"
    );
}

#[test]
fn rules_about_failures_judge_either_codes_or_conditions() {
    let rules = json!([
        {"action": "FailIndex", "onExitCodes": {"operator": "In", "containerName": "x", "values": [2, 1, 1, 0]}},
        {"action": "", "onPodConditions": [{"type": "?"}]},
        {"action": "Count"},
    ]);
    assert_eq!(
        faults(json!({"podFailurePolicy": {"rules": rules}})),
        "[spec.podFailurePolicy.rules[0].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set, \
         spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"x\": must be one of the container or initContainer names in the pod template, \
         spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 1, \
         spec.podFailurePolicy.rules[0].onExitCodes.values[3]: Invalid value: 0: must not be 0 for the In operator, \
         spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1,1,0]: must be ordered, \
         spec.podFailurePolicy.rules[1].action: Required value: valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"], \
         spec.podFailurePolicy.rules[1].onPodConditions[0].type: Invalid value: \"?\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), \
         spec.podFailurePolicy.rules[2]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required]"
    );
}

#[test]
fn rules_about_success_name_numbers_that_exist() {
    let rules = json!([{"succeededIndexes": "0-1", "succeededCount": 3}, {"succeededIndexes": "7"}, {}]);
    assert_eq!(
        faults(json!({"completionMode": "Indexed", "completions": 2, "successPolicy": {"rules": rules}})),
        "[spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of specified completions), \
         spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field), \
         spec.successPolicy.rules[1].succeededIndexes: Invalid value: \"7\": error parsing succeededIndexes: too large index: \"7\", \
         spec.successPolicy.rules[2]: Required value: at least one of succeededCount or succeededIndexes must be specified]"
    );
}

#[test]
fn a_manager_is_a_path_below_a_domain() {
    assert_eq!(faults(json!({"managedBy": "acme.io/foo"})), "");
    assert_eq!(
        faults(json!({"managedBy": "acme"})),
        "spec.managedBy: Invalid value: \"acme\": must be a domain-prefixed path (such as \"acme.io/foo\")"
    );
}
