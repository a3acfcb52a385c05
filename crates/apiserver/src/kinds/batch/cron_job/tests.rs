use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, row, update};

fn cron_job(fields: Value) -> Value {
    let mut object = json!({"metadata": {"name": "c"}, "spec": {"schedule": "@daily", "jobTemplate": {"spec": {
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}});
    for (field, value) in fields.as_object().expect("fields") {
        object["spec"][field] = value.clone();
    }
    defaulted::<CronJobs>(object)
}

#[test]
fn defaults_keep_a_few_jobs() {
    let new = cron_job(json!({}));
    let spec = &new["spec"];
    assert_eq!([&spec["successfulJobsHistoryLimit"], &spec["failedJobsHistoryLimit"]], [3, 1]);
    assert_eq!(create::<CronJobs>(new.clone()), "");
    let cells = [json!("@daily"), json!("<none>"), json!("False"), json!(0), json!("<none>")];
    assert_eq!(row::<CronJobs>(new)[1..6], cells);
}

#[test]
fn faults_read_as_upstream_words_them() {
    for (fields, text) in [
        (json!({"schedule": ""}), "spec.schedule: Required value"),
        (
            json!({"schedule": "TZ=UTC 0 0 * * *"}),
            "spec.schedule: Invalid value: \"TZ=UTC 0 0 * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        ),
        (json!({"timeZone": "Mars"}), "spec.timeZone: Invalid value: \"Mars\": unknown time zone Mars"),
        (
            json!({"timeZone": "Local"}),
            "spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        ),
        (
            json!({"concurrencyPolicy": "x"}),
            "spec.concurrencyPolicy: Unsupported value: \"x\": supported values: \"Allow\", \"Forbid\", \"Replace\"",
        ),
    ] {
        assert_eq!(create::<CronJobs>(cron_job(fields)), text);
    }
    let zoned = cron_job(json!({"schedule": "TZ=UTC 0 0 * * *"}));
    assert_eq!(update::<CronJobs>(zoned.clone(), zoned), "");
}
