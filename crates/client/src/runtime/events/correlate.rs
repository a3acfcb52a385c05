//! [`Correlator`]: many occurrences, few events. The rules are client-go's: the same event is counted
//! up; after ten messages of one reason within ten minutes they share one event; one object causes at
//! most a burst of 25 and then one in five minutes.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nakhoda_api::time::time;
use serde_json::json;

use super::EventType;

const REMEMBERED: usize = 4096;
const SIMILAR: usize = 10;
const SIMILAR_WITHIN: SignedDuration = SignedDuration::from_secs(600);
const BURST: f64 = 25.0;
const REFILL_SECONDS: f64 = 300.0;

/// Who records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// For example `kubelet`.
    pub component: String,
    /// The node, or empty.
    pub host: String,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// Who saw it.
    pub source: Arc<Source>,
    /// To what it happened.
    pub about: ObjectReference,
    /// Whether it is bad.
    pub kind: EventType,
    /// In one word, for programs.
    pub reason: String,
    /// In a sentence, for people.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Write {
    /// The whole event as it shall be.
    pub event: Event,
    /// If the event should exist already: the merge patch that brings it there.
    pub patch: Option<serde_json::Value>,
}

/// Remembers what was written.
#[derive(Debug, Default)]
pub struct Correlator {
    written: HashMap<Identity, Written>,
    similar: HashMap<Identity, Similar>,
    budgets: HashMap<[String; 5], Budget>,
}

/// An event without its count; the message is left out of the identity of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Identity {
    about: [String; 5],
    field_path: String,
    kind: EventType,
    reason: String,
    message: Option<String>,
}

#[derive(Debug)]
struct Written {
    name: String,
    first: Timestamp,
    last: Timestamp,
    count: i32,
}

#[derive(Debug)]
struct Similar {
    messages: HashSet<String>,
    last: Timestamp,
}

#[derive(Debug)]
struct Budget {
    tokens: f64,
    last: Timestamp,
}

// === impl Correlator ===

impl Correlator {
    /// What to write for an occurrence; nothing if its object has caused too many.
    pub fn observe(&mut self, occurrence: &Occurrence) -> Option<Write> {
        if !self.affordable(occurrence) {
            return None;
        }
        let grouped = self.is_one_of_many(occurrence);
        let (identity, message) = if grouped {
            (identity(occurrence, None), format!("(combined from similar events): {}", occurrence.message))
        } else {
            (identity(occurrence, Some(&occurrence.message)), occurrence.message.clone())
        };
        let now = occurrence.at;
        let written = self.written.entry(identity).or_insert_with(|| Written {
            name: name(occurrence),
            first: now,
            last: now,
            count: 0,
        });
        written.count += 1;
        written.last = now;
        let event = event(occurrence, written, &message);
        let patch = (written.count > 1)
            .then(|| json!({"count": written.count, "lastTimestamp": event.last_timestamp, "message": message}));
        bound(&mut self.written, |w| w.last);
        Some(Write { event, patch })
    }

    fn affordable(&mut self, occurrence: &Occurrence) -> bool {
        let now = occurrence.at;
        let budget =
            self.budgets.entry(about(&occurrence.about)).or_insert_with(|| Budget { tokens: BURST, last: now });
        let refill = now.duration_since(budget.last).as_secs_f64().max(0.0) / REFILL_SECONDS;
        budget.tokens = (budget.tokens + refill).min(BURST);
        budget.last = now;
        let affordable = budget.tokens >= 1.0;
        if affordable {
            budget.tokens -= 1.0;
        }
        bound(&mut self.budgets, |b| b.last);
        affordable
    }

    fn is_one_of_many(&mut self, occurrence: &Occurrence) -> bool {
        let now = occurrence.at;
        let similar = self
            .similar
            .entry(identity(occurrence, None))
            .or_insert_with(|| Similar { messages: HashSet::new(), last: now });
        if now.duration_since(similar.last) > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.last = now;
        if similar.messages.len() < SIMILAR {
            similar.messages.insert(occurrence.message.clone());
        }
        let many = similar.messages.len() >= SIMILAR;
        bound(&mut self.similar, |s| s.last);
        many
    }
}

fn identity(occurrence: &Occurrence, message: Option<&str>) -> Identity {
    Identity {
        about: about(&occurrence.about),
        field_path: occurrence.about.field_path.clone().unwrap_or_default(),
        kind: occurrence.kind,
        reason: occurrence.reason.clone(),
        message: message.map(Into::into),
    }
}

fn about(reference: &ObjectReference) -> [String; 5] {
    let ObjectReference { api_version, kind, namespace, name, uid, .. } = reference;
    [api_version, kind, namespace, name, uid].map(|field| field.clone().unwrap_or_default())
}

/// The object's name and the time in hexadecimal nanoseconds, as upstream names events.
fn name(occurrence: &Occurrence) -> String {
    format!("{}.{:x}", occurrence.about.name.as_deref().unwrap_or_default(), occurrence.at.as_nanosecond())
}

fn event(occurrence: &Occurrence, written: &Written, message: &str) -> Event {
    let namespace = occurrence.about.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".into());
    let Source { component, host } = &*occurrence.source;
    Event {
        metadata: ObjectMeta { name: Some(written.name.clone()), namespace: Some(namespace), ..ObjectMeta::default() },
        involved_object: occurrence.about.clone(),
        reason: Some(occurrence.reason.clone()),
        message: Some(message.into()),
        source: Some(EventSource {
            component: Some(component.clone()),
            host: Some(host.clone()).filter(|h| !h.is_empty()),
        }),
        first_timestamp: Some(time(written.first)),
        last_timestamp: Some(time(written.last)),
        count: Some(written.count),
        type_: Some(occurrence.kind.to_string()),
        reporting_component: Some(component.clone()),
        reporting_instance: Some(host.clone()),
        ..Event::default()
    }
}

fn bound<K: Clone + Eq + Hash, V>(map: &mut HashMap<K, V>, last: fn(&V) -> Timestamp) {
    if map.len() <= REMEMBERED {
        return;
    }
    if let Some(oldest) = map.iter().min_by_key(|(_, v)| last(v)).map(|(k, _)| k.clone()) {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrence(name: &str, message: &str, second: i64) -> Occurrence {
        Occurrence {
            source: Arc::new(Source { component: "kubelet".into(), host: "n1".into() }),
            about: ObjectReference {
                kind: Some("Pod".into()),
                namespace: Some("default".into()),
                name: Some(name.into()),
                ..ObjectReference::default()
            },
            kind: EventType::Normal,
            reason: "Pulled".into(),
            message: message.into(),
            at: Timestamp::from_second(1_700_000_000 + second).expect("a time"),
        }
    }

    #[test]
    fn the_same_event_is_counted_up_under_one_name() {
        let mut correlator = Correlator::default();
        let first = correlator.observe(&occurrence("a", "m", 0)).expect("written");
        assert_eq!(first.event.metadata.name.as_deref(), Some("a.17979cfe362a0000"));
        assert!(first.patch.is_none());
        let again = correlator.observe(&occurrence("a", "m", 60)).expect("written");
        assert_eq!(again.event.metadata.name, first.event.metadata.name);
        assert_eq!(again.patch.expect("a patch")["count"], 2);
        assert_eq!(again.event.first_timestamp, first.event.first_timestamp);
    }

    #[test]
    fn many_messages_of_one_reason_share_an_event() {
        let mut correlator = Correlator::default();
        let messages: Vec<_> =
            (0..12).map(|i| correlator.observe(&occurrence("a", &format!("m{i}"), 0)).expect("written")).collect();
        assert!(messages[8].patch.is_none() && messages[9].patch.is_none());
        assert_eq!(messages[9].event.message.as_deref(), Some("(combined from similar events): m9"));
        assert_eq!(messages[11].event.count, Some(3));
    }

    #[test]
    fn one_object_cannot_flood_the_server_and_others_are_not_hurt() {
        let mut correlator = Correlator::default();
        let written = (0..100).filter(|_| correlator.observe(&occurrence("a", "m", 0)).is_some()).count();
        assert_eq!(written, 25);
        assert!(correlator.observe(&occurrence("b", "m", 0)).is_some());
        assert!(correlator.observe(&occurrence("a", "m", 300)).is_some());
    }
}
