//! `ipFamilies` and `ipFamilyPolicy` in a cluster that has IPv4 only.

use nakhoda_api::Object;
use serde_json::{Value, json};

/// Fills in what is left out.
pub(super) fn settle(service: &mut Object) {
    if service.str_at(&["spec", "type"]) == Some("ExternalName") {
        service.remove_at(&["spec", "ipFamilies"]);
        service.remove_at(&["spec", "ipFamilyPolicy"]);
        return;
    }
    // whoever fills the endpoints of such a service by hand may use either family
    let free = is_headless(service) && !has_selector(service);
    let policy = service.str_at(&["spec", "ipFamilyPolicy"]).map(str::to_owned);
    let known = service.at(&["spec", "ipFamilies"]).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if !known {
        let both = free && policy.as_deref() != Some("SingleStack");
        service.set_at(&["spec", "ipFamilies"], if both { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) });
    }
    if policy.is_none() {
        let policy = if free && !known { "RequireDualStack" } else { "SingleStack" };
        service.set_at(&["spec", "ipFamilyPolicy"], policy.into());
    }
}

fn is_headless(service: &Object) -> bool {
    let first = service.at(&["spec", "clusterIPs"]).and_then(Value::as_array).and_then(|list| list.first());
    service.str_at(&["spec", "clusterIP"]) == Some("None") || first == Some(&json!("None"))
}

fn has_selector(service: &Object) -> bool {
    service.at(&["spec", "selector"]).and_then(Value::as_object).is_some_and(|selector| !selector.is_empty())
}
