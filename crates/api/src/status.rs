//! [`Status`]: the one error type that crosses the API, as meta/v1 defines it.
//!
//! Texts and codes are upstream's (`k8s.io/apimachinery/pkg/api/errors`): clients compare them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::field;
use crate::gvk::{GroupKind, GroupResource};

/// Why a request failed, in a word that clients match on (`metav1.StatusReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant is the upstream word itself")]
pub enum Reason {
    Unauthorized,
    Forbidden,
    NotFound,
    AlreadyExists,
    Conflict,
    Gone,
    Invalid,
    ServerTimeout,
    Timeout,
    TooManyRequests,
    BadRequest,
    MethodNotAllowed,
    NotAcceptable,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    InternalError,
    Expired,
    ServiceUnavailable,
    NonZeroExitCode,
    #[serde(other)]
    Unknown,
}

/// A failed request, or the outcome of a successful one that returns no object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Always `Status`.
    #[serde(default)]
    pub kind: String,
    /// Always `v1`.
    #[serde(default)]
    pub api_version: String,
    /// Only `continue` and `resourceVersion` ever stand here.
    #[serde(default)]
    pub metadata: ListMeta,
    /// `Success` or `Failure`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// For programs.
    #[serde(default, skip_serializing_if = "is_untold")]
    pub reason: Option<Reason>,
    /// What the failure is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Details>>,
    /// The HTTP status code.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub code: u16,
}

/// The metadata of a list, as far as a `Status` carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMeta {
    /// Token for the rest of a list.
    #[serde(default, rename = "continue", skip_serializing_if = "String::is_empty")]
    pub continue_: String,
}

/// Which object, and which of its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Name of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// API group of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Its resource, or its kind where validation failed: upstream is not consistent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// UID of the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// One per fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// When to come again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_after_seconds: u32,
}

/// One fault of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// Machine-readable, for example `FieldValueInvalid`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The field's path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
}

/// The unknown reason is the empty one.
fn is_untold(reason: &Option<Reason>) -> bool {
    matches!(reason, None | Some(Reason::Unknown))
}

fn is_zero<T: Default + PartialEq>(n: &T) -> bool {
    *n == T::default()
}

// === impl Status ===

impl Status {
    /// A failure with nothing but a code, a reason and a text.
    pub fn failure(code: u16, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            kind: "Status".into(),
            api_version: "v1".into(),
            metadata: ListMeta::default(),
            status: "Failure".into(),
            message: message.into(),
            reason: Some(reason),
            details: None,
            code,
        }
    }

    /// A success, as deletions answer it.
    #[must_use]
    pub fn success(details: Option<Details>) -> Self {
        Self {
            status: "Success".into(),
            reason: None,
            details: details.map(Box::new),
            code: 0,
            ..Self::failure(0, Reason::Unknown, "")
        }
    }

    /// 404: `pods "x" not found`.
    #[must_use]
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        Self::failure(404, Reason::NotFound, format!("{resource} \"{name}\" not found")).about(resource, name)
    }

    /// 404 of a path that is no resource.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::failure(404, Reason::NotFound, "the server could not find the requested resource")
            .with_details(Details::default())
    }

    /// 405 of a method that the path does not take.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let why = "the server does not allow this method on the requested resource";
        Self::failure(405, Reason::MethodNotAllowed, why).with_details(Details::default())
    }

    /// 409: `pods "x" already exists`.
    #[must_use]
    pub fn already_exists(resource: &GroupResource, name: &str) -> Self {
        Self::failure(409, Reason::AlreadyExists, format!("{resource} \"{name}\" already exists")).about(resource, name)
    }

    /// 409: `Operation cannot be fulfilled on pods "x": why`.
    #[must_use]
    pub fn conflict(resource: &GroupResource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        Self::failure(409, Reason::Conflict, message).about(resource, name)
    }

    /// 409 of a write whose `resourceVersion` is no longer the object's.
    #[must_use]
    pub fn modified(resource: &GroupResource, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// 403: `pods "x" is forbidden: why`.
    #[must_use]
    pub fn forbidden(resource: &GroupResource, name: &str, why: &str) -> Self {
        let message = match (resource.resource.is_empty(), name.is_empty()) {
            (true, _) => format!("forbidden: {why}"),
            (false, true) => format!("{resource} is forbidden: {why}"),
            (false, false) => format!("{resource} \"{name}\" is forbidden: {why}"),
        };
        Self::failure(403, Reason::Forbidden, message).about(resource, name)
    }

    /// 422 with one cause for each fault.
    #[must_use]
    pub fn invalid(kind: &GroupKind, name: &str, errors: &field::Errors) -> Self {
        let message = format!("{kind} \"{name}\" is invalid: {errors}");
        let causes = errors.iter().map(field::Error::cause).collect();
        Self::failure(422, Reason::Invalid, message).with_details(Details {
            group: kind.group.clone(),
            kind: kind.kind.clone(),
            name: name.into(),
            causes,
            ..Details::default()
        })
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::failure(400, Reason::BadRequest, message)
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::failure(401, Reason::Unauthorized, "Unauthorized")
    }

    /// 405 of a verb that the resource does not have.
    #[must_use]
    pub fn method_not_supported(resource: &GroupResource, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind \"{resource}\"");
        Self::failure(405, Reason::MethodNotAllowed, message).about(resource, "")
    }

    /// 406.
    pub fn not_acceptable(message: impl Into<String>) -> Self {
        Self::failure(406, Reason::NotAcceptable, message)
    }

    /// 410: history or a list token is gone; list again.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::failure(410, Reason::Expired, message)
    }

    /// 413.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::failure(413, Reason::RequestEntityTooLarge, message)
    }

    /// 415.
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::failure(415, Reason::UnsupportedMediaType, message)
    }

    /// 429; `seconds` is what `Retry-After` says.
    pub fn too_many_requests(message: impl Into<String>, seconds: u32) -> Self {
        Self::failure(429, Reason::TooManyRequests, message)
            .with_details(Details { retry_after_seconds: seconds, ..Details::default() })
    }

    /// 500: `Internal error occurred: …`.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let chain = chain(error);
        Self::failure(500, Reason::InternalError, format!("Internal error occurred: {chain}"))
            .with_details(Details { causes: vec![Cause { message: chain, ..Cause::default() }], ..Details::default() })
    }

    /// 503; `seconds` is what `Retry-After` says.
    pub fn unavailable(message: impl Into<String>, seconds: u32) -> Self {
        Self::failure(503, Reason::ServiceUnavailable, message)
            .with_details(Details { retry_after_seconds: seconds, ..Details::default() })
    }

    /// 504.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::failure(504, Reason::Timeout, message)
    }

    /// The same with other details.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// Whether the reason is this one.
    #[must_use]
    pub fn is(&self, reason: Reason) -> bool {
        self.reason == Some(reason)
    }

    /// Seconds after which the caller may come again, if the server said.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        self.details.as_ref().map(|d| d.retry_after_seconds).filter(|s| *s > 0)
    }

    fn about(self, resource: &GroupResource, name: &str) -> Self {
        self.with_details(Details {
            name: name.into(),
            group: resource.group.clone(),
            kind: resource.resource.clone(),
            ..Details::default()
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

/// An error and its sources on one line, each told once.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_reads_as_upstream_writes_it() {
        let status = Status::not_found(&GroupResource::new("apps", "deployments"), "x");
        assert_eq!(status.message, r#"deployments.apps "x" not found"#);
        let json = serde_json::to_value(&status).expect("serialises");
        assert_eq!(json["details"]["kind"], "deployments");
        assert_eq!(json["reason"], "NotFound");
        assert_eq!(json["metadata"], serde_json::json!({}));
    }

    #[test]
    fn an_unknown_reason_of_a_newer_server_is_kept_apart() {
        let status: Status = serde_json::from_str(r#"{"reason":"Novel","code":499}"#).expect("parses");
        assert!(status.is(Reason::Unknown));
    }
}
