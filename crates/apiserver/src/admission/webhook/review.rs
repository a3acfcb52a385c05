//! The `AdmissionReview`: what a webhook is told, and what it says.

use base64::Engine;
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use serde_json::{Value, json};

use super::hook::Hook;
use super::matching::word;
use super::view::Matched;
use crate::admission::{Attributes, Operation};
use crate::kind::Served;

/// What a webhook said.
#[derive(Debug)]
pub struct Answer {
    /// Whether it lets the request pass.
    pub allowed: bool,
    /// What it tells of that.
    pub result: Value,
    /// A JSON patch; empty if there is none.
    pub patch: Vec<u8>,
    /// Texts for the caller.
    pub warnings: Vec<String>,
    /// Texts for the audit log, by their keys.
    pub annotations: Vec<(String, String)>,
}

/// A request as webhooks and expressions are told it, without the objects.
#[must_use]
pub fn request(attributes: &Attributes<'_>, matched: &Matched, object: Option<&Object>) -> Value {
    let (call, user) = (attributes.call, &attributes.call.user);
    let kind = |served: &Served| {
        let gvk = attributes.body_kind(&served.info);
        json!({"group": gvk.group, "version": gvk.version, "kind": gvk.kind})
    };
    let resource =
        |gvr: &GroupVersionResource| json!({"group": gvr.group, "version": gvr.version, "resource": gvr.resource});
    let name = match call.target.name.as_str() {
        "" => object.map_or("", Object::name),
        name => name,
    };
    let mut request = json!({
        "kind": kind(&matched.kind),
        "resource": resource(&matched.kind.info.gvr()),
        "requestKind": kind(&call.kind),
        "requestResource": resource(&call.target.gvr),
        "name": name,
        "operation": word(attributes.operation),
        "userInfo": {"username": user.name, "groups": user.groups},
        "dryRun": attributes.dry_run,
        "options": options(attributes),
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
    request
}

fn options(attributes: &Attributes<'_>) -> Value {
    let kind = match attributes.operation {
        Operation::Create => "CreateOptions",
        Operation::Update => "UpdateOptions",
        Operation::Delete => "DeleteOptions",
        Operation::Connect => return Value::Null,
    };
    let mut options = json!({"kind": kind, "apiVersion": "meta.k8s.io/v1"});
    if attributes.dry_run {
        options["dryRun"] = json!(["All"]);
    }
    options
}

/// What a webhook is told.
#[must_use]
pub fn review(
    hook: &Hook,
    attributes: &Attributes<'_>,
    matched: &Matched,
    [object, old]: [Option<&Object>; 2],
) -> Value {
    let mut request = request(attributes, matched, object);
    request["uid"] = uuid::Uuid::new_v4().to_string().into();
    request["object"] = json!(object);
    request["oldObject"] = json!(old);
    let version = hook.admission_review_versions.iter().find(|v| ["v1", "v1beta1"].contains(&v.as_str()));
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
    let warnings = response["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let warnings = warnings.map(str::to_owned).collect();
    let annotations = response["auditAnnotations"].as_object().into_iter().flatten();
    let annotations = annotations.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned()))).collect();
    let allowed = response["allowed"] == true;
    Ok(Answer { allowed, result: response["status"].take(), patch, warnings, annotations })
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
