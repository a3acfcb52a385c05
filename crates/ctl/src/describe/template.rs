//! Pods as far as their template says: containers, volumes, placement.

pub mod containers;
pub mod volumes;

use serde_json::Value;

use super::sheet::Sheet;
use super::values::{annotations, pairs, tolerations};
use crate::cluster::text;

/// The section `Pod Template`.
pub fn write(sheet: &mut Sheet, template: &Value) {
    sheet.line(0, "Pod Template:");
    sheet.many(1, "Labels", &pairs(&template["metadata"]["labels"]));
    if template["metadata"]["annotations"].as_object().is_some_and(|map| !map.is_empty()) {
        annotations(sheet, 1, &template["metadata"]["annotations"]);
    }
    let spec = &template["spec"];
    sheet.field_if(1, "Service Account", text(spec, "/serviceAccountName"));
    if spec["initContainers"].as_array().is_some_and(|list| !list.is_empty()) {
        containers::write(sheet, 1, "Init Containers", &spec["initContainers"], &Value::Null);
    }
    containers::write(sheet, 1, "Containers", &spec["containers"], &Value::Null);
    volumes::write(sheet, 1, &spec["volumes"]);
    sheet.field_if(1, "Priority Class Name", text(spec, "/priorityClassName"));
    sheet.many(1, "Node-Selectors", &pairs(&spec["nodeSelector"]));
    sheet.many(1, "Tolerations", &tolerations(&spec["tolerations"]));
}
