use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, prepared, row, status, update};

fn claim(size: &str, phase: &str) -> Value {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}});
    json!({"metadata": {"name": "a"}, "spec": spec, "status": {"phase": phase}})
}

#[test]
fn a_claim_asks_for_storage_in_a_way() {
    assert_eq!(
        create::<PersistentVolumeClaims>(json!({"metadata": {"name": "a"}})),
        "[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]"
    );
    let mut both = claim("1Gi", "Pending");
    both["spec"]["accessModes"] = json!(["ReadWriteOnce", "ReadWriteOncePod"]);
    assert_eq!(
        create::<PersistentVolumeClaims>(both),
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"
    );
}

#[test]
fn only_a_bound_claim_can_ask_for_more() {
    assert_eq!(update::<PersistentVolumeClaims>(claim("1Gi", "Bound"), claim("2Gi", "Bound")), "");
    assert_eq!(update::<PersistentVolumeClaims>(claim("1Gi", "Pending"), claim("1024Mi", "Pending")), "");
    let refused = update::<PersistentVolumeClaims>(claim("1Gi", "Pending"), claim("2Gi", "Pending"));
    let difference = "@@ -6,7 +6,7 @@\n  \"Resources\": {\n   \"Limits\": null,\n   \"Requests\": {\n-   \"storage\": \"1Gi\"\n+   \"storage\": \"2Gi\"\n   }\n  },\n  \"VolumeName\": \"\",\n";
    assert_eq!(
        refused,
        format!("spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{difference}")
    );
}

#[test]
fn less_than_the_volume_has_is_no_size() {
    let mut old = claim("3Gi", "Bound");
    old["status"]["capacity"] = json!({"storage": "1Gi"});
    assert_eq!(update::<PersistentVolumeClaims>(old.clone(), claim("2Gi", "Bound")), "");
    assert_eq!(
        update::<PersistentVolumeClaims>(old, claim("1Gi", "Bound")),
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    );
}

#[test]
fn a_source_of_data_is_said_in_both_ways() {
    let mut given = claim("1Gi", "");
    given["spec"]["dataSource"] = json!({"kind": "PersistentVolumeClaim", "name": "b"});
    let made = prepared::<PersistentVolumeClaims>(given.clone(), None);
    assert_eq!(made["spec"]["dataSourceRef"], json!({"kind": "PersistentVolumeClaim", "name": "b"}));
    given["spec"]["dataSource"] = json!({"kind": "Other", "name": "b"});
    assert_eq!(prepared::<PersistentVolumeClaims>(given, None)["spec"]["dataSource"], Value::Null);
}

#[test]
fn a_status_tells_how_a_resize_goes() {
    let mut new = claim("1Gi", "Bound");
    new["status"]["allocatedResourceStatuses"] = json!({"storage": "Odd", "cpu": "NodeResizePending"});
    let told = status::<PersistentVolumeClaims>(claim("1Gi", "Bound"), new);
    assert!(told.contains("status.allocatedResourceStatuses: Unsupported value: \"cpu\": supported values: \"storage\""), "{told}");
    assert!(told.contains("status.allocatedResourceStatuses: Unsupported value: \"storage\": supported values: \"ControllerResizeInProgress\""), "{told}");
}

#[test]
fn a_row_tells_the_volume_once_there_is_one() {
    let mut given = claim("1Gi", "Bound");
    assert_eq!(row::<PersistentVolumeClaims>(given.clone())[2..5], [json!(""), json!(""), json!("")]);
    given["spec"]["volumeName"] = json!("v");
    given["status"]["capacity"] = json!({"storage": "2Gi"});
    given["status"]["accessModes"] = json!(["ReadWriteOnce"]);
    assert_eq!(row::<PersistentVolumeClaims>(given)[2..5], [json!("v"), json!("2Gi"), json!("RWO")]);
}
