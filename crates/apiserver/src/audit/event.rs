//! `audit.k8s.io/v1` `Event`, in the order of upstream's fields.

use std::collections::BTreeMap;

use nakhoda_api::{Object, Status};
use serde::Serialize;
use serde_json::value::RawValue;

use super::policy::{Level, Stage};
use crate::request::ResourceTarget;
use crate::user::User;

/// One stage of one request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    kind: &'static str,
    api_version: &'static str,
    /// How much is told.
    pub level: Level,
    /// The same for all stages of a request, and in the header `Audit-Id` of its answer.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// Which stage.
    pub stage: Stage,
    /// What was asked for, as the client wrote it.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// The word that authorization knows.
    pub verb: String,
    /// Who asked.
    pub user: UserInfo,
    /// As whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impersonated_user: Option<UserInfo>,
    /// How that was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_metadata: Option<Authentication>,
    /// Where from: what proxies say, then the other end of the connection.
    #[serde(rename = "sourceIPs", skip_serializing_if = "Vec::is_empty")]
    pub source_ips: Vec<String>,
    /// The header.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_ref: Option<ObjectRef>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_status: Option<Outcome>,
    /// The body of the request, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object: Option<Box<RawValue>>,
    /// The body of the response, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_object: Option<Box<RawValue>>,
    /// When the request came.
    pub request_received_timestamp: String,
    /// When this stage was reached.
    pub stage_timestamp: String,
    /// What those on the way had to say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// How a caller came to act as another.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// The verb that binds him.
    pub impersonation_constraint: String,
}

/// `authentication.k8s.io/v1` `UserInfo`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UserInfo {
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    uid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, Vec<String>>,
}

/// An object.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    #[serde(skip_serializing_if = "String::is_empty")]
    resource: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    /// The name, of a new object that in its body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// As the body has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    api_group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    api_version: String,
    /// As the body has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subresource: String,
}

/// The part of a Status that is told.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    metadata: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    reason: serde_json::Value,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    details: serde_json::Value,
    /// The HTTP code.
    pub code: u16,
}

// === impl Event ===

impl Event {
    /// An event of the first stage, about nothing and by nobody yet.
    #[must_use]
    pub fn new(level: Level, received: String) -> Self {
        Self {
            kind: "Event",
            api_version: "audit.k8s.io/v1",
            level,
            audit_id: String::new(),
            stage: Stage::RequestReceived,
            request_uri: String::new(),
            verb: String::new(),
            user: UserInfo::default(),
            impersonated_user: None,
            authentication_metadata: None,
            source_ips: Vec::new(),
            user_agent: String::new(),
            object_ref: None,
            response_status: None,
            request_object: None,
            response_object: None,
            stage_timestamp: received.clone(),
            request_received_timestamp: received,
            annotations: BTreeMap::new(),
        }
    }
}

// === impl UserInfo ===

impl From<&User> for UserInfo {
    fn from(user: &User) -> Self {
        Self {
            username: user.name.clone(),
            uid: user.uid.clone(),
            groups: user.groups.clone(),
            extra: user.extra.clone(),
        }
    }
}

// === impl ObjectRef ===

impl From<&ResourceTarget> for ObjectRef {
    fn from(target: &ResourceTarget) -> Self {
        Self {
            resource: target.gvr.resource.clone(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            api_group: target.gvr.group.clone(),
            api_version: target.gvr.version.clone(),
            subresource: target.subresource.clone(),
            ..Self::default()
        }
    }
}

impl ObjectRef {
    /// Whether it is an object, and no part of one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.subresource.is_empty()
    }

    /// Takes from a body what the path did not say.
    pub fn learn(&mut self, object: &Object) {
        let fill = |field: &mut String, text: &str| {
            if field.is_empty() {
                text.clone_into(field);
            }
        };
        fill(&mut self.namespace, object.namespace());
        fill(&mut self.name, object.name());
        fill(&mut self.uid, object.uid());
        fill(&mut self.resource_version, object.resource_version());
    }
}

// === impl Outcome ===

impl Outcome {
    /// Of a request whose answer nobody waited for.
    #[must_use]
    pub fn closed() -> Self {
        let message = "Connection closed early".into();
        Self { status: "Success".into(), message, code: 200, ..Self::default() }
    }

    /// A success of which nothing but its code is to be told.
    #[must_use]
    pub fn code(code: u16) -> Self {
        Self { code, ..Self::default() }
    }

    /// The words of a Status.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let mut value = serde_json::to_value(status).unwrap_or_default();
        let mut part = |name: &str| value.get_mut(name).map(serde_json::Value::take).unwrap_or_default();
        Self {
            status: status.status.clone(),
            message: status.message.clone(),
            reason: part("reason"),
            details: part("details"),
            // a success may leave it out
            code: if status.code == 0 { 200 } else { status.code },
            ..Self::default()
        }
    }
}
