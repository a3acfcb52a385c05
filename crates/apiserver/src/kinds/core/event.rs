//! Event: something happened to an object. Both Event kinds share storage; this is the stored form.
//! Events live for an hour.

use std::borrow::Cow;

use k8s_openapi::Metadata;
use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::Event;
use nakhoda_api::kinds::meta::ObjectMeta;

use crate::kind::columns::since;
use crate::kind::{NameRule, Columns, Cx, Fields, Info, Kind};
use crate::rules::check::{qualified, required, subdomain, text};

/// The kind.
pub struct Events;

/// Seconds that events live.
pub const TTL: u64 = 3600;

impl Kind for Events {
    type Object = Event;

    fn info() -> Info {
        Info {
            short: &["ev"],
            create_on_update: true,
            ttl: Some(TTL),
            names: NameRule::Segment,
            ..Info::of::<Event>("events", "event", Scope::Namespaced)
        }
    }

    fn validate(_: &Cx, new: &Event, _: Option<&Event>, errors: &mut Errors) {
        validate_stored(errors, new, "reportingComponent");
    }

    fn fields(event: &Event) -> Fields {
        selectable(event)
    }

    fn columns() -> Columns<Event> {
        columns()
    }
}

/// An event of either kind, read in the stored form.
pub(crate) trait View: Metadata<Ty = ObjectMeta> {
    fn view(&self) -> Cow<'_, Event>;
}

impl View for Event {
    fn view(&self) -> Cow<'_, Event> {
        Cow::Borrowed(self)
    }
}

/// The columns of both kinds.
pub(crate) fn columns<T: View>() -> Columns<T> {
    Columns::none()
        .text("Last Seen", |e: &T, now| last_seen(&e.view(), now).into())
        .text("Type", |e, _| text(&e.view().type_).into())
        .text("Reason", |e, _| text(&e.view().reason).into())
        .text("Object", |e, _| object(&e.view()).into())
        .wide("Subobject", |e, _| text(&e.view().involved_object.field_path).into())
        .wide("Source", |e, _| source(&e.view()).into())
        .text("Message", |e, _| text(&e.view().message).trim().into())
        .wide("First Seen", |e, now| first_seen(&e.view(), now).into())
        .wide("Count", |e, _| count(&e.view()).into())
        .wide("Name", |e, _| text(&e.view().metadata.name).into())
        .format("name")
}

fn selectable(event: &Event) -> Fields {
    let object = &event.involved_object;
    let source = event.source.as_ref().map_or("", |s| text(&s.component));
    let reporter = text(&event.reporting_component);
    vec![
        ("involvedObject.kind", text(&object.kind).into()),
        ("involvedObject.namespace", text(&object.namespace).into()),
        ("involvedObject.name", text(&object.name).into()),
        ("involvedObject.uid", text(&object.uid).into()),
        ("involvedObject.apiVersion", text(&object.api_version).into()),
        ("involvedObject.resourceVersion", text(&object.resource_version).into()),
        ("involvedObject.fieldPath", text(&object.field_path).into()),
        ("reason", text(&event.reason).into()),
        ("reportingComponent", reporter.into()),
        ("source", if source.is_empty() { reporter.into() } else { source.into() }),
        ("type", text(&event.type_).into()),
    ]
}

/// What both kinds check.
pub(crate) fn validate_stored(errors: &mut Errors, event: &Event, reporter_field: &str) {
    let namespace = text(&event.metadata.namespace);
    let involved = text(&event.involved_object.namespace);
    let fits = match (event.event_time.is_some(), involved) {
        (false, "") => ["", "default"].contains(&namespace),
        (false, _) => namespace == involved,
        (true, "") => ["default", "kube-system"].contains(&namespace),
        (true, _) => true,
    };
    if !fits {
        errors.invalid(&Path::new("involvedObject.namespace"), involved, "does not match event.namespace");
    }
    if event.event_time.is_some() {
        modern(errors, event, &Path::new(reporter_field));
    }
    subdomain(errors, &Path::new("namespace"), namespace);
}

/// Events with a time in microseconds are told by new clients, who must say more.
fn modern(errors: &mut Errors, event: &Event, reporter: &Path) {
    required(errors, reporter, text(&event.reporting_component));
    qualified(errors, reporter, text(&event.reporting_component));
    for (name, value) in
        [("reportingInstance", &event.reporting_instance), ("action", &event.action), ("reason", &event.reason)]
    {
        required(errors, &Path::new(name), text(value));
        bounded(errors, name, text(value), 128);
    }
    bounded(errors, "message", text(&event.message), 1024);
}

fn bounded(errors: &mut Errors, field: &str, value: &str, limit: usize) {
    if value.len() > limit {
        errors.invalid(&Path::new(field), "", format!("can have at most {limit} characters"));
    }
}

fn first_seen(event: &Event, now: jiff::Timestamp) -> String {
    let first = event.first_timestamp.as_ref().map(|t| t.0);
    since(first.or_else(|| event.event_time.as_ref().map(|t| t.0)), now)
}

fn last_seen(event: &Event, now: jiff::Timestamp) -> String {
    match (&event.series, &event.last_timestamp) {
        (Some(series), _) => since(series.last_observed_time.as_ref().map(|t| t.0), now),
        (None, Some(last)) => since(Some(last.0), now),
        (None, None) => first_seen(event, now),
    }
}

fn count(event: &Event) -> i32 {
    match &event.series {
        Some(series) => series.count.unwrap_or(0),
        None => event.count.unwrap_or(0).max(1),
    }
}

fn object(event: &Event) -> String {
    let kind = text(&event.involved_object.kind).to_lowercase();
    match text(&event.involved_object.name) {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

fn source(event: &Event) -> String {
    let part = |of: fn(&nakhoda_api::kinds::core::EventSource) -> &Option<String>, other: &Option<String>| {
        let own = event.source.as_ref().map_or("", |s| text(of(s)));
        if own.is_empty() { text(other).to_owned() } else { own.to_owned() }
    };
    let component = part(|s| &s.component, &event.reporting_component);
    match part(|s| &s.host, &event.reporting_instance) {
        host if host.is_empty() => component,
        host => format!("{component}, {host}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn the_row_starts_with_the_age_and_ends_with_the_name() {
        let event = json!({
            "metadata": {"name": "a.1", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": "a", "namespace": "default", "fieldPath": "spec.containers{c}"},
            "type": "Normal", "reason": "Started", "message": " m ", "source": {"component": "kubelet", "host": "n"},
            "firstTimestamp": "2026-01-02T03:02:05Z", "lastTimestamp": "2026-01-02T03:04:00Z", "count": 3,
        });
        assert_eq!(
            row::<Events>(event),
            [
                json!("5s"),
                json!("Normal"),
                json!("Started"),
                json!("pod/a"),
                json!("spec.containers{c}"),
                json!("kubelet, n"),
                json!("m"),
                json!("2m"),
                json!(3),
                json!("a.1")
            ]
        );
        let head = Events::columns().head();
        assert_eq!((head[9].name, head[9].format, head[9].priority), ("Name", "name", 1));
    }

    #[test]
    fn namespaces_agree() {
        assert_eq!(
            create::<Events>(json!({"metadata": {"namespace": "a"}, "involvedObject": {"namespace": "b"}})),
            "involvedObject.namespace: Invalid value: \"b\": does not match event.namespace"
        );
    }
}
