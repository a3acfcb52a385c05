//! `ipFamilies` and `ipFamilyPolicy` in a cluster that has IPv4 only.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{Object, Status};
use serde_json::{Value, json};

use crate::verb::Call;

const SINGLE: &str = "SingleStack";
const DUAL: &str = "RequireDualStack";

/// Fills in what is left out; 422 for what this cluster does not have.
pub(super) fn settle(call: &Call, service: &mut Object) -> Result<(), Status> {
    if service.str_at(&["spec", "type"]) == Some("ExternalName") {
        return Ok(());
    }
    // whoever fills the endpoints of such a service by hand may use either family
    let free = is_headless(service) && !has_selector(service);
    let policy = service.at(&["spec", "ipFamilyPolicy"]).and_then(Value::as_str).map(str::to_owned);
    if policy.is_none() {
        let policy = if free { DUAL } else { SINGLE };
        service.set_at(&["spec", "ipFamilyPolicy"], policy.into());
    }
    let known = service.at(&["spec", "ipFamilies"]).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if !known {
        let both = free && policy.as_deref() != Some(SINGLE);
        service.set_at(&["spec", "ipFamilies"], if both { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) });
    }
    if free { Ok(()) } else { check(call, service) }
}

fn check(call: &Call, service: &Object) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("spec");
    if service.str_at(&["spec", "ipFamilyPolicy"]) == Some(DUAL) {
        errors.invalid(&path.child("ipFamilyPolicy"), DUAL, "this cluster is not configured for dual-stack services");
    }
    let families = service.at(&["spec", "ipFamilies"]).and_then(Value::as_array);
    for (index, family) in families.into_iter().flatten().enumerate() {
        if family == "IPv6" {
            errors.invalid(&path.child("ipFamilies").index(index), "IPv6", "not configured on this cluster");
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&call.kind.info.gvk.group_kind(), service.name(), &errors))
}

fn is_headless(service: &Object) -> bool {
    let first = service.at(&["spec", "clusterIPs"]).and_then(Value::as_array).and_then(|list| list.first());
    service.str_at(&["spec", "clusterIP"]) == Some("None") || first == Some(&json!("None"))
}

fn has_selector(service: &Object) -> bool {
    service.at(&["spec", "selector"]).and_then(Value::as_object).is_some_and(|selector| !selector.is_empty())
}
