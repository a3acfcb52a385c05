use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, prepared, row, status, update};

fn job(fields: Value) -> Value {
    let mut job = json!({"metadata": {"name": "j", "uid": "u"}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}});
    for (field, value) in fields.as_object().expect("fields") {
        job["spec"][field] = value.clone();
    }
    prepared::<Jobs>(defaulted::<Jobs>(job), None)
}

#[test]
fn containers_and_images_are_shown_in_one_cell_each() {
    let cells = row::<Jobs>(job(json!({})));
    assert_eq!(cells[5..7], [json!("c"), json!("i")]);
}

#[test]
fn a_name_that_makes_no_label_is_told_of_the_template_only() {
    let bad = json!({"metadata": {"name": "Not_A.Name:/", "uid": "u"}, "spec": {"template": {"spec": {}}}});
    let new = prepared::<Jobs>(bad, None);
    assert!(new["metadata"].get("labels").is_none() && new["spec"]["template"]["metadata"]["labels"].is_object());
}

#[test]
fn a_job_finds_its_pods_by_its_uid() {
    let new = job(json!({}));
    let labels = json!({"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j",
                        "controller-uid": "u", "job-name": "j"});
    assert_eq!(new["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!(new["metadata"]["labels"], labels);
    assert_eq!(new["spec"]["selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}));
    assert_eq!(create::<Jobs>(new), "");
}

#[test]
fn labels_of_another_job_are_refused() {
    let mut new = job(json!({}));
    new["spec"]["template"]["metadata"]["labels"]["job-name"] = json!("k");
    let fault = create::<Jobs>(new);
    assert!(fault.starts_with("spec.template.metadata.labels[job-name]: Invalid value: {"), "{fault}");
    assert!(fault.ends_with("}: must be 'j'"), "{fault}");
}

#[test]
fn defaults_depend_on_each_other() {
    let spec = |fields| job(fields)["spec"].clone();
    let plain = spec(json!({}));
    assert_eq!([&plain["completions"], &plain["parallelism"], &plain["backoffLimit"]], [1, 1, 6]);
    assert_eq!(plain["podReplacementPolicy"], "TerminatingOrFailed");
    let queue = spec(json!({"parallelism": 2, "podFailurePolicy": {"rules": []}}));
    assert_eq!([&queue["completions"], &queue["podReplacementPolicy"]], [&Value::Null, &json!("Failed")]);
    assert_eq!(spec(json!({"backoffLimitPerIndex": 1}))["backoffLimit"], i32::MAX);
}

#[test]
fn only_a_suspended_job_goes_elsewhere() {
    let (running, suspended) = (job(json!({})), job(json!({"suspend": true})));
    let moved = |job: &Value| {
        let mut job = job.clone();
        job["spec"]["template"]["spec"]["nodeSelector"] = json!({"a": "b"});
        job["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1"}});
        job
    };
    assert!(update::<Jobs>(running.clone(), moved(&running)).ends_with("field is immutable"));
    assert_eq!(update::<Jobs>(suspended.clone(), moved(&suspended)), "");
    let mut other = moved(&suspended);
    other["spec"]["template"]["spec"]["containers"][0]["image"] = json!("k");
    assert!(update::<Jobs>(suspended, other).starts_with("spec.template.spec: Invalid value"));
}

#[test]
fn completions_change_with_the_parallelism_of_indexed_jobs() {
    let old = job(json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2}));
    let mut new = old.clone();
    new["spec"]["completions"] = json!(3);
    assert_eq!(
        update::<Jobs>(old.clone(), new.clone()),
        "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"
    );
    new["spec"]["parallelism"] = json!(3);
    assert_eq!(update::<Jobs>(old, new), "");
}

#[test]
fn a_status_goes_forward_only() {
    let with = |status: Value| {
        let mut job = job(json!({}));
        job["status"] = status;
        job
    };
    let condition = |kind: &str| json!({"type": kind, "status": "True"});
    let done = json!({"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z", "succeeded": 1,
        "conditions": [condition("SuccessCriteriaMet"), condition("Complete")]});
    assert_eq!(status::<Jobs>(with(json!({})), with(done.clone())), "");
    assert_eq!(row::<Jobs>(with(done.clone()))[1..4], [json!("Complete"), json!("1/1"), json!("60s")]);
    assert_eq!(
        status::<Jobs>(with(done), with(json!({"startTime": "2026-01-01T00:00:00Z", "ready": 1}))),
        "[status.ready: Invalid value: 1: cannot set more ready pods than active, \
         status.conditions: Invalid value: cannot disable the terminal Complete=True condition, \
         status.succeeded: Invalid value: 0: cannot decrease the succeeded counter, \
         status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition]"
    );
    assert_eq!(
        status::<Jobs>(with(json!({})), with(json!({"conditions": [condition("Failed")]}))),
        "[status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition, \
         status.startTime: Required value: startTime is required for finished job]"
    );
}
