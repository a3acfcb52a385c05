//! What a container may learn of its own pod.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{ObjectFieldSelector, ResourceFieldSelector};
use nakhoda_api::quantity::Quantity;

use crate::rules::check::{qualified, text};

/// Resources of a container that can be shown, sorted.
const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const SIZES: &[&str] = &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
/// Fields that pods have but that not every place may show.
const LABELS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.phase",
    "status.podIP",
    "status.podIPs",
];

/// A field of the pod; `fields` are those that may be shown here.
pub fn field(errors: &mut Errors, path: &Path, field: &ObjectFieldSelector, fields: &[&str]) {
    let (version, name) = (text(&field.api_version), field.field_path.as_str());
    if version.is_empty() {
        return errors.required(&path.child("apiVersion"), "");
    }
    if name.is_empty() {
        return errors.required(&path.child("fieldPath"), "");
    }
    let at = path.child("fieldPath");
    let (base, subscript) = match name.strip_suffix("']").and_then(|n| n.split_once("['")) {
        Some((base, key)) => (base, Some(key)),
        None => (name, None),
    };
    if version != "v1" || !LABELS.contains(&base) {
        let why = match version {
            "v1" => format!("error converting fieldPath: field label not supported: {name}"),
            _ => format!("error converting fieldPath: unsupported pod version: {version}"),
        };
        return errors.invalid(&at, name, why);
    }
    match (base, subscript) {
        ("metadata.annotations", Some(key)) => qualified(errors, path, &key.to_lowercase()),
        ("metadata.labels", Some(key)) => qualified(errors, path, key),
        (base, Some(_)) => errors.invalid(path, base, "does not support subscript"),
        (base, None) if !fields.contains(&base) => errors.not_supported(&at, base, fields),
        _ => {}
    }
}

/// A request or limit of a container.
pub fn resource(errors: &mut Errors, path: &Path, resource: &ResourceFieldSelector, volume: bool) {
    let name = resource.resource.as_str();
    let huge = ["limits.hugepages-", "requests.hugepages-"].iter().any(|p| name.starts_with(p));
    if volume && text(&resource.container_name).is_empty() {
        errors.required(&path.child("containerName"), "");
    } else if name.is_empty() {
        errors.required(&path.child("resource"), "");
    } else if !RESOURCES.contains(&name) && !huge {
        errors.not_supported(&path.child("resource"), name, RESOURCES);
    }
    let divisor = resource.divisor.as_ref().and_then(|d| Quantity::try_from(d).ok()).unwrap_or_default();
    if divisor.is_zero() {
        return;
    }
    let kind = match name.split_once('.').map(|(_, kind)| kind) {
        Some("cpu") => "cpu",
        Some("memory") => "memory",
        Some("ephemeral-storage") => "local ephemeral storage",
        Some(_) if huge => "hugepages",
        _ => return,
    };
    let at = path.child("divisor");
    if kind == "cpu" {
        if !["1m", "1"].contains(&divisor.to_string().as_str()) {
            errors.invalid(&at, name, "only divisor's values 1m and 1 are supported with the cpu resource");
        }
    } else if !SIZES.contains(&divisor.to_string().as_str()) {
        let why = format!("only divisor's values {} are supported with the {kind} resource", SIZES.join(", "));
        errors.invalid(&at, name, why);
    }
}
