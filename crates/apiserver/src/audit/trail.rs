//! [`Trail`]: what is told of one request, filled in as it goes its road.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use jiff::Timestamp;
use nakhoda_api::{GroupVersionKind, Status, wire};
use parking_lot::Mutex;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Auditor;
use super::event::{Authentication, Event, ObjectRef, Outcome, UserInfo};
use super::policy::{Level, Stage, Told};
use crate::kind::Served;
use crate::request::{Action, Request, Target};
use crate::response::{Answer, Response};
use crate::user::User;

mod body;
mod request;

pub(crate) use request::unknown;

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

// === impl Origin ===

impl Origin {
    /// The path that the client wrote; empty if it came by gRPC.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }
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
            if request::is_credential(target) {
                told.level = told.level.min(Level::Metadata);
                event.level = told.level;
            }
            event.object_ref = Some(ObjectRef::from(target));
        }
        verb.clone_into(&mut event.verb);
        event.user = UserInfo::from(user);
        request::identify(&mut event, request);
        let mut record = Record { auditor: auditor.clone(), event, told, complete: false };
        record.tell(Stage::RequestReceived);
        record.body(&request.action, kind);
        *self.0.lock() = Some(record);
    }

    /// Whom the caller acts as, and by which mode that binds him.
    pub fn impersonated(&self, user: &User, constraint: String) {
        self.with(|record| {
            record.event.impersonated_user = Some(UserInfo::from(user));
            record.event.authentication_metadata =
                (!constraint.is_empty()).then_some(Authentication { impersonation_constraint: constraint });
        });
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

    /// A stream that keeps the request open until it is sent.
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
                let object = body::object(&write.body, kind.filter(|_| whole));
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
                let mut given = deletion.body.as_ref().and_then(|body| body::decode(body, Some(&options)));
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
        self.event.response_status = Some(Outcome::code(body::code(&response.answer)));
        if let Answer::Status(status) = &response.answer {
            return self.status(status);
        }
        if self.told.level == Level::RequestResponse {
            let body = body::of(&response.answer).and_then(|json| serde_json::from_slice::<Value>(&json).ok());
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
            body::without_managed_fields(&mut body);
            body.get_mut("items")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .for_each(body::without_managed_fields);
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

/// To the microsecond, as upstream writes it.
fn now() -> String {
    format!("{:.6}", Timestamp::now())
}
