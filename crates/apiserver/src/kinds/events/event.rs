//! Event of the group `events.k8s.io`: another view of the core Event, in whose form it is stored.

use std::borrow::Cow;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::{core, events};
use nakhoda_api::{GroupVersionKind, Object, Scope};
use serde_json::{Map, Value};

use crate::kind::{Columns, Cx, Fields, Info, Kind};
use crate::kinds::core::event::{TTL, View, columns, validate_stored};
use crate::rules::check::{immutable, text};

/// The kind.
pub struct Events;

/// Names of the fields here and in the stored form.
const NAMES: &[(&str, &str)] = &[
    ("note", "message"),
    ("regarding", "involvedObject"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

impl Kind for Events {
    type Object = events::Event;

    fn info() -> Info {
        Info {
            short: &["ev"],
            create_on_update: true,
            ttl: Some(TTL),
            ..Info::of::<events::Event>("events", "event", Scope::Namespaced)
        }
    }

    fn validate(_: &Cx, new: &events::Event, old: Option<&events::Event>, errors: &mut Errors) {
        let Some(stored) = stored(new) else { return };
        validate_stored(errors, &stored, "reportingController");
        match old {
            None => strict(errors, new),
            Some(old) => unchanged(errors, new, old),
        }
    }

    fn fields(event: &events::Event) -> Fields {
        let none = core::ObjectReference::default();
        let object = event.regarding.as_ref().unwrap_or(&none);
        vec![
            ("reason", text(&event.reason).into()),
            ("regarding.kind", text(&object.kind).into()),
            ("regarding.namespace", text(&object.namespace).into()),
            ("regarding.name", text(&object.name).into()),
            ("regarding.uid", text(&object.uid).into()),
            ("regarding.apiVersion", text(&object.api_version).into()),
            ("regarding.resourceVersion", text(&object.resource_version).into()),
            ("regarding.fieldPath", text(&object.field_path).into()),
            ("reportingController", text(&event.reporting_controller).into()),
            ("type", text(&event.type_).into()),
        ]
    }

    fn columns() -> Columns<events::Event> {
        columns()
    }

    const CONVERTED: bool = true;

    fn to_storage(object: Object) -> Object {
        let mut object = renamed(object, |(here, there)| (here, there));
        object.set_gvk(&GroupVersionKind::new("", "v1", "Event"));
        object
    }

    fn from_storage(object: Object) -> Object {
        let mut object = renamed(object, |(here, there)| (there, here));
        object.set_gvk(&GroupVersionKind::new("events.k8s.io", "v1", "Event"));
        object
    }
}

impl View for events::Event {
    fn view(&self) -> Cow<'_, core::Event> {
        Cow::Owned(stored(self).unwrap_or_default())
    }
}

/// Renames top-level fields, keeping their order.
fn renamed(mut object: Object, pair: fn(&(&'static str, &'static str)) -> (&'static str, &'static str)) -> Object {
    let root: Map<String, Value> = std::mem::take(object.root_mut());
    *object.root_mut() = root
        .into_iter()
        .map(|(key, value)| match NAMES.iter().map(pair).find(|(from, _)| *from == key) {
            Some((_, to)) => (to.to_owned(), value),
            None => (key, value),
        })
        .collect();
    object
}

fn stored(event: &events::Event) -> Option<core::Event> {
    Events::to_storage(Object::from_typed(event).ok()?).typed().ok()
}

/// New events of this group must be whole.
fn strict(errors: &mut Errors, event: &events::Event) {
    series(errors, event);
    if event.event_time.is_none() {
        errors.required(&Path::new("eventTime"), "");
    }
    let type_ = text(&event.type_);
    if !["Normal", "Warning"].contains(&type_) {
        errors.invalid(&Path::new("type"), "", format!("has invalid value: {type_}"));
    }
    let source =
        event.deprecated_source.as_ref().is_some_and(|s| !text(&s.component).is_empty() || !text(&s.host).is_empty());
    for (field, set) in [
        ("firstTimestamp", event.deprecated_first_timestamp.is_some()),
        ("lastTimestamp", event.deprecated_last_timestamp.is_some()),
        ("count", event.deprecated_count.unwrap_or(0) != 0),
        ("source", source),
    ] {
        if set {
            errors.invalid(&Path::new(field), "", "needs to be unset");
        }
    }
}

fn series(errors: &mut Errors, event: &events::Event) {
    if event.series.as_ref().is_some_and(|s| s.count < 2) {
        errors.invalid(&Path::new("series.count"), "", "should be at least 2");
    }
}

/// Only the series may change.
fn unchanged(errors: &mut Errors, new: &events::Event, old: &events::Event) {
    if new.series != old.series {
        series(errors, new);
    }
    let fields = |e: &events::Event| serde_json::to_value(e).unwrap_or_default();
    let (new, old) = (fields(new), fields(old));
    let names = ["reason", "type", "eventTime", "action", "related", "reportingController", "reportingInstance"];
    let renamed = NAMES.iter().filter(|(here, _)| *here != "reportingController");
    for (here, told) in renamed.copied().chain(names.map(|n| (n, n))) {
        immutable(errors, &Path::new(told), &new[here], &old[here]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row, update};

    fn event() -> Value {
        json!({
            "metadata": {"name": "a", "namespace": "b"}, "eventTime": "2026-01-02T03:04:00.000000Z", "type": "Normal",
            "reason": "r", "action": "x", "note": "n", "reportingController": "c", "reportingInstance": "i",
            "regarding": {"kind": "Pod", "name": "p", "namespace": "b"},
        })
    }

    #[test]
    fn there_and_back_is_the_same_event() {
        let mut object = Object::from_value(event()).expect("an object");
        object.set_gvk(&GroupVersionKind::new("events.k8s.io", "v1", "Event"));
        let stored = Events::to_storage(object.clone());
        assert_eq!(stored.at(&["involvedObject", "name"]), Some(&json!("p")));
        assert_eq!((stored.at(&["message"]), stored.api_version()), (Some(&json!("n")), "v1"));
        assert_eq!(Events::from_storage(stored), object);
    }

    #[test]
    fn fields_have_the_names_of_this_form() {
        let event = crate::kinds::testing::typed::<Events>(event());
        assert!(Events::fields(&event).contains(&("regarding.name", "p".into())));
    }

    #[test]
    fn rules_and_rows_are_those_of_the_stored_form() {
        assert_eq!(create::<Events>(event()), "");
        assert_eq!(row::<Events>(event())[..4], ["5s", "Normal", "r", "pod/p"]);
        assert_eq!(
            create::<Events>(json!({"metadata": {"namespace": "default"}})),
            "[eventTime: Required value, type: Invalid value: \"\": has invalid value: ]"
        );
        let mut new = event();
        new["note"] = json!("other");
        assert_eq!(update::<Events>(event(), new), "message: Invalid value: \"other\": field is immutable");
    }
}
