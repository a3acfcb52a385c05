//! The `AdmissionReview`: what a webhook is told, and what it says.

use base64::Engine;
use nakhoda_api::{Object, Reason, Status};
use serde_json::{Value, json};

use super::hook::Hook;
use super::matching::word;
use crate::admission::{Attributes, Operation};

/// What a webhook said.
#[derive(Debug)]
pub struct Answer {
    /// Whether it lets the request pass.
    pub allowed: bool,
    /// What it tells of that.
    pub result: Value,
    /// A JSON patch; empty if there is none.
    pub patch: Vec<u8>,
}

/// What a webhook is told.
#[must_use]
pub fn request(hook: &Hook, attributes: &Attributes<'_>, object: Option<&Object>) -> Value {
    let (call, user) = (attributes.call, &attributes.call.user);
    let gvk = &call.kind.info.gvk;
    let gvr = &call.target.gvr;
    let kind = json!({"group": gvk.group, "version": gvk.version, "kind": gvk.kind});
    let resource = json!({"group": gvr.group, "version": gvr.version, "resource": gvr.resource});
    let options = match attributes.operation {
        Operation::Create => json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}),
        Operation::Update => json!({"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1"}),
        Operation::Delete => json!({"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}),
        Operation::Connect => Value::Null,
    };
    let name = match call.target.name.as_str() {
        "" => object.map_or("", Object::name),
        name => name,
    };
    let version = hook.admission_review_versions.iter().find(|v| ["v1", "v1beta1"].contains(&v.as_str()));
    let mut request = json!({
        "uid": uuid::Uuid::new_v4().to_string(),
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": name,
        "operation": word(attributes.operation),
        "userInfo": {"username": user.name, "groups": user.groups},
        "object": object,
        "oldObject": attributes.old,
        "dryRun": attributes.dry_run,
        "options": options,
    });
    let sub = call.target.subresource.as_str();
    for (field, value) in [("subResource", sub), ("requestSubResource", sub), ("namespace", call.namespace())] {
        if !value.is_empty() {
            request[field] = value.into();
        }
    }
    if !user.uid.is_empty() {
        request["userInfo"]["uid"] = user.uid.as_str().into();
    }
    if !user.extra.is_empty() {
        request["userInfo"]["extra"] = json!(user.extra);
    }
    let version = version.map_or("v1", String::as_str);
    json!({"kind": "AdmissionReview", "apiVersion": format!("admission.k8s.io/{version}"), "request": request})
}

/// The answer to a review.
pub fn read(mut answer: Value, review: &Value) -> Result<Answer, String> {
    let mut response = answer["response"].take();
    if response.is_null() {
        return Err("webhook response was absent".into());
    }
    let uid = &review["request"]["uid"];
    if review["apiVersion"] == "admission.k8s.io/v1" && response["uid"] != *uid {
        return Err(format!("expected response.uid={uid}, got {}", response["uid"]));
    }
    let patch = match response["patch"].as_str().unwrap_or_default() {
        "" => Vec::new(),
        text => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|error| format!("the patch is no base64: {error}"))?,
    };
    if !patch.is_empty() && response["patchType"] != "JSONPatch" {
        return Err(format!("invalid response.patchType: {}", response["patchType"]));
    }
    Ok(Answer { allowed: response["allowed"] == true, result: response["status"].take(), patch })
}

/// The refusal of a webhook.
#[must_use]
pub fn refusal(hook: &Hook, result: &Value) -> Status {
    let text = |field: &str| result[field].as_str().unwrap_or_default();
    let denied = format!("admission webhook {:?} denied the request", hook.name);
    let message = match (text("message"), text("reason")) {
        ("", "") => format!("{denied} without explanation"),
        ("", reason) => format!("{denied}: {reason}"),
        (message, _) => format!("{denied}: {message}"),
    };
    let code = result["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(0).max(400);
    let reason = serde_json::from_value(result["reason"].clone()).unwrap_or(Reason::Unknown);
    Status::failure(code, reason, message)
}
