//! [`Trail`]: what is told of one request, filled in as it goes its road.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use jiff::Timestamp;
use nakhoda_api::{GroupVersionKind, Object, Status, wire};
use parking_lot::Mutex;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Auditor;
use super::event::{Event, ObjectRef, Outcome, UserInfo};
use super::policy::{Level, Stage, Told};
use crate::kind::Served;
use crate::render::{self, list::Page};
use crate::request::{Accept, Action, Body, Request, ResourceTarget, Target};
use crate::response::{Answer, Response, Streaming};
use crate::user::User;

/// Longer user agents are cut.
const AGENT_MAX: usize = 1024;
/// Whose bodies are credentials: told as metadata at most.
const CREDENTIALS: [(&str, &str, &str); 3] =
    [("", "secrets", ""), ("", "serviceaccounts", "token"), ("authentication.k8s.io", "tokenreviews", "")];

/// What a front knows of a request that nobody else needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The header `Audit-Id`.
    pub id: String,
    /// The path and query, as the client wrote them; made of the target if empty.
    pub uri: String,
    /// The addresses that proxies tell.
    pub forwarded: Vec<String>,
}

/// The record of one request, if it is told of. Cheap to clone; when the last clone goes, the request is over.
#[derive(Clone, Default)]
pub struct Trail(Arc<Mutex<Option<Record>>>);

struct Record {
    auditor: Auditor,
    event: Event,
    told: Told,
    complete: bool,
}

// === impl Trail ===

impl Trail {
    /// The caller is known: whether and how the request is told of is decided here.
    pub fn begin(&self, auditor: &Auditor, request: &Request, user: &User, kind: Option<&Served>) {
        let verb = request.verb();
        let mut told = auditor.policy().told(user, verb, &request.target);
        if told.level == Level::None {
            return;
        }
        let mut event = Event::new(told.level, now());
        if let Target::Resource(target) = &request.target {
            if is_credential(target) {
                told.level = told.level.min(Level::Metadata);
                event.level = told.level;
            }
            event.object_ref = Some(ObjectRef::from(target));
        }
        verb.clone_into(&mut event.verb);
        event.user = UserInfo::from(user);
        identify(&mut event, request);
        let mut record = Record { auditor: auditor.clone(), event, told, complete: false };
        record.tell(Stage::RequestReceived);
        record.body(&request.action, kind);
        *self.0.lock() = Some(record);
    }

    /// Whom the caller acts as.
    pub fn impersonated(&self, user: &User) {
        self.with(|record| record.event.impersonated_user = Some(UserInfo::from(user)));
    }

    /// Notes what somebody on the way has to say; the first one to use a key is heard.
    pub fn annotate(&self, key: impl Into<String>, text: impl Into<String>) {
        self.with(|record| {
            record.event.annotations.entry(key.into()).or_insert_with(|| text.into());
        });
    }

    /// How much is told.
    #[must_use]
    pub fn level(&self) -> Level {
        self.0.lock().as_ref().map_or(Level::None, |record| record.told.level)
    }

    /// What came of the request. A stream goes on until the last clone of this goes; so does a document, of which
    /// its front says later what became of it.
    pub fn answered(&self, outcome: &Result<Response, Status>, open: bool) {
        self.with(|record| {
            record.outcome(outcome);
            match outcome {
                Ok(Response { answer: Answer::Watch { .. } | Answer::Stream(_), .. }) => {
                    record.tell(Stage::ResponseStarted);
                }
                Ok(_) if open => {}
                _ => record.finish(),
            }
        });
    }

    /// The code of an answer that the pipeline did not make.
    pub fn code(&self, code: u16) {
        self.with(|record| record.event.response_status = Some(Outcome::code(code)));
    }

    /// A body that keeps the request open until it is sent.
    #[must_use]
    pub fn hold(self, body: axum::body::Body) -> axum::body::Body {
        if self.level() == Level::None {
            return body;
        }
        axum::body::Body::from_stream(self.hold_stream(body.into_data_stream()))
    }

    /// A stream that does.
    pub fn hold_stream<S: Stream>(self, stream: S) -> impl Stream<Item = S::Item> {
        stream.inspect(move |_| {
            let _ = &self;
        })
    }

    fn with(&self, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.0.lock().as_mut() {
            change(record);
        }
    }
}

impl PartialEq for Trail {
    /// Two requests are not told apart by what is told of them.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Trail {}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trail")
    }
}

// === impl Record ===

impl Record {
    fn tell(&mut self, stage: Stage) {
        if self.told.tells(stage) {
            self.event.stage = stage;
            if stage != Stage::RequestReceived {
                self.event.stage_timestamp = now();
            }
            self.auditor.tell(&self.event);
        }
    }

    fn finish(&mut self) {
        if !std::mem::replace(&mut self.complete, true) {
            self.tell(Stage::ResponseComplete);
        }
    }

    /// What the request carried.
    fn body(&mut self, action: &Action, kind: Option<&Served>) {
        match action {
            Action::Create(write) | Action::Update(write) => {
                let whole = self.event.object_ref.as_ref().is_some_and(ObjectRef::is_whole);
                let object = object(&write.body, kind.filter(|_| whole));
                if let (Some(object), Some(about)) = (&object, &mut self.event.object_ref) {
                    about.learn(object);
                }
                self.event.request_object = object.and_then(|object| self.shown(object.into_value(), Level::Request));
            }
            Action::Patch(patch) if self.told.level >= Level::Request => {
                let (value, _) = wire::read_any(&patch.bytes).unwrap_or_default();
                self.event.request_object = self.shown(value, Level::Request);
            }
            Action::Delete(deletion) | Action::DeleteCollection(deletion, _) => {
                let options = GroupVersionKind::new("", "v1", "DeleteOptions");
                let mut given = deletion.body.as_ref().and_then(|body| decode(body, Some(&options)));
                if let Some(options) = &mut given {
                    // upstream writes them in the form that it reads them into
                    options.set_gvk(&GroupVersionKind::new("meta.k8s.io", "__internal", "DeleteOptions"));
                }
                self.event.request_object = given.and_then(|object| self.shown(object.into_value(), Level::Request));
            }
            _ => {}
        }
    }

    fn outcome(&mut self, outcome: &Result<Response, Status>) {
        let response = match outcome {
            Err(status) => return self.status(status),
            Ok(response) => response,
        };
        self.event.response_status = Some(Outcome::code(code(&response.answer)));
        if let Answer::Status(status) = &response.answer {
            return self.status(status);
        }
        if self.told.level == Level::RequestResponse {
            let body = body_of(&response.answer).and_then(|json| serde_json::from_slice::<Value>(&json).ok());
            self.event.response_object = body.and_then(|body| self.shown(body, Level::RequestResponse));
        }
    }

    fn status(&mut self, status: &Status) {
        self.event.response_status = Some(Outcome::of(status));
        let body = serde_json::to_value(status).unwrap_or_default();
        self.event.response_object = self.shown(body, Level::RequestResponse);
    }

    /// A body, if the level tells it.
    fn shown(&self, mut body: Value, at: Level) -> Option<Box<RawValue>> {
        if self.told.level < at {
            return None;
        }
        if self.told.omit_managed_fields {
            without_managed_fields(&mut body);
            body.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten().for_each(without_managed_fields);
        }
        serde_json::value::to_raw_value(&body).ok()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.event.response_status.get_or_insert_with(Outcome::closed);
        self.finish();
    }
}

/// A caller that nobody knows: told as the policy says of such a request by nobody.
pub(crate) fn unknown(auditor: &Auditor, request: &Request, status: &Status) {
    let told = auditor.policy().told(&User::default(), request.verb(), &request.target);
    let mut event = Event::new(told.level, now());
    request.verb().clone_into(&mut event.verb);
    if let Target::Resource(target) = &request.target {
        event.object_ref = Some(ObjectRef::from(target));
    }
    identify(&mut event, request);
    let tried =
        [(!request.caller.certificates.is_empty()).then_some("x509"), request.caller.bearer.as_ref().map(|_| "bearer")];
    let tried = tried.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let message = if tried.is_empty() {
        "Authentication failed, no credentials provided".to_owned()
    } else {
        format!("Authentication failed, attempted: {tried}")
    };
    event.response_status = Some(Outcome::of(&Status { message, ..status.clone() }));
    Record { auditor: auditor.clone(), event, told, complete: true }.tell(Stage::ResponseStarted);
}

/// What stands in every event of a request.
fn identify(event: &mut Event, request: &Request) {
    let (caller, origin) = (&request.caller, &request.caller.origin);
    let new = || uuid::Uuid::new_v4().to_string();
    event.audit_id = if origin.id.is_empty() { new() } else { origin.id.clone() };
    event.request_uri = if origin.uri.is_empty() { uri(&request.target) } else { origin.uri.clone() };
    event.user_agent = match caller.agent.char_indices().nth(AGENT_MAX) {
        Some((end, _)) => format!("{}...TRUNCATED", &caller.agent[..end]),
        None => caller.agent.clone(),
    };
    event.source_ips.clone_from(&origin.forwarded);
    let peer = caller.address.as_ref().map(SocketAddr::ip).map(|ip| ip.to_canonical().to_string());
    event.source_ips.extend(peer.filter(|peer| origin.forwarded.last() != Some(peer)));
}

fn is_credential(target: &ResourceTarget) -> bool {
    let asked = (target.gvr.group.as_str(), target.gvr.resource.as_str(), target.subresource.as_str());
    CREDENTIALS.contains(&asked)
}

/// The path at which REST has a target.
fn uri(target: &Target) -> String {
    let target = match target {
        Target::Path(path) => return path.clone(),
        Target::Resource(target) => target,
    };
    let gvr = &target.gvr;
    let mut uri = if gvr.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", gvr.group) };
    let namespaced = !target.namespace.is_empty() && gvr.resource != "namespaces";
    let namespace = if namespaced { format!("namespaces/{}", target.namespace) } else { String::new() };
    for part in [&gvr.version, &namespace, &gvr.resource, &target.name, &target.subresource] {
        if !part.is_empty() {
            uri.push('/');
            uri.push_str(part);
        }
    }
    uri + &target.path
}

/// The object of a body as upstream has it once it is read: of its kind, and with the kind's defaults.
fn object(body: &Body, kind: Option<&Served>) -> Option<Object> {
    let mut object = decode(body, kind.map(|kind| &kind.info.gvk))?;
    if let Some(kind) = kind.filter(|kind| object.gvk().as_ref() == Some(&kind.info.gvk)) {
        // what cannot be defaulted is told as it came
        let _ = kind.strategy.default(&mut object);
    }
    Some(object)
}

fn decode(body: &Body, default: Option<&GroupVersionKind>) -> Option<Object> {
    match body {
        Body::Object(object) => Some((**object).clone()),
        Body::Bytes { media, bytes } => wire::decode(*media, bytes, default).ok().map(|decoded| decoded.object),
    }
}

fn code(answer: &Answer) -> u16 {
    match answer {
        Answer::Created { .. } | Answer::Object { created: true, .. } => 201,
        Answer::Stream(Streaming::Channels(_) | Streaming::Ports(_)) => 101,
        _ => 200,
    }
}

fn body_of(answer: &Answer) -> Option<bytes::Bytes> {
    let accept = Accept::default();
    match answer {
        Answer::Item { kind, item } | Answer::Created { kind, item } => {
            render::item(kind, item, accept, Timestamp::now())
        }
        Answer::Object { object, .. } => Ok(object.to_json().into()),
        Answer::List { kind, items, revision, continue_token, remaining } => {
            let (revision, remaining) = (*revision, *remaining);
            Page { kind, items, revision, continue_token, remaining, bare: false }.render(accept, Timestamp::now())
        }
        Answer::Watch { .. } | Answer::Stream(_) | Answer::Status(_) => return None,
    }
    .ok()
}

fn without_managed_fields(object: &mut Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.shift_remove("managedFields");
    }
}

/// To the microsecond, as upstream writes it.
fn now() -> String {
    format!("{:.6}", Timestamp::now())
}
