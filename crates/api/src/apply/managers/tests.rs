use serde_json::json;

use super::*;

fn entry(name: &str, time: &str, field: &str) -> Value {
    json!({
        "manager": name, "operation": "Update", "apiVersion": "v1", "time": time,
        "fieldsType": "FieldsV1", "fieldsV1": {format!("f:{field}"): {}},
    })
}

fn read(entries: &Value) -> Managers {
    Managers::decode(Some(entries)).expect("reads")
}

#[test]
fn entries_are_written_as_they_were_read_and_in_order() {
    let applied = json!({
        "manager": "a", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-02T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:x": {}}}, "subresource": "status",
    });
    let (old, new) = (entry("z", "2026-01-01T00:00:00Z", "a"), entry("b", "2026-01-03T00:00:00Z", "b"));
    let written = read(&json!([new, old, applied])).encode().expect("something");
    assert_eq!(written.to_string(), json!([applied, old, new]).to_string());
}

#[test]
fn entries_that_cannot_be_read_say_why() {
    let fault = |change: Value| {
        let mut entry = entry("a", "2026-01-01T00:00:00Z", "a");
        entry.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        Managers::decode(Some(&json!([entry]))).expect_err("cannot be read").to_string()
    };
    assert_eq!(fault(json!({"operation": ""})), "operation must be `Apply` or `Update`");
    assert_eq!(fault(json!({"apiVersion": ""})), "apiVersion must not be empty");
    assert_eq!(fault(json!({"fieldsType": ""})), "missing fieldsType in managed fields entry 0");
    assert_eq!(fault(json!({"fieldsType": "V2"})), "invalid fieldsType \"V2\" in managed fields entry 0");
}

#[test]
fn the_oldest_of_too_many_updaters_become_one() {
    let entries: Vec<_> = (0..12)
        .map(|n| entry(&format!("m{n:02}"), &format!("2026-01-{:02}T00:00:00Z", n + 1), &format!("x{n}")))
        .collect();
    let mut managers = read(&Value::Array(entries));
    managers.cap();
    let written = managers.encode().expect("something");
    let names: Vec<_> =
        written.as_array().expect("a list").iter().map(|e| e["manager"].as_str().unwrap_or("")).collect();
    assert_eq!(names, ["ancient-changes", "m03", "m04", "m05", "m06", "m07", "m08", "m09", "m10", "m11"]);
    assert_eq!(written[0]["fieldsV1"], json!({"f:x0": {}, "f:x1": {}, "f:x2": {}}));
    assert_eq!(written[0]["time"], "2026-01-03T00:00:00Z");
}

#[test]
fn an_applier_is_the_same_in_all_versions_and_an_updater_is_not() {
    let owner = |operation, version: &str| Owner {
        name: "a".into(),
        operation,
        version: version.into(),
        subresource: String::new(),
    };
    assert!(owner(Operation::Apply, "v1").is(&owner(Operation::Apply, "v2")));
    assert!(!owner(Operation::Update, "v1").is(&owner(Operation::Update, "v2")));
    assert!(!owner(Operation::Update, "v1").is(&owner(Operation::Apply, "v1")));
}
