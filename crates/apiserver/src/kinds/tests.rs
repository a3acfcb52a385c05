use std::collections::BTreeSet;

use nakhoda_api::Object;
use serde_json::json;

use super::*;
use crate::kind::Info;
use crate::kinds::testing::{cx, now};

/// An object of a kind with nothing but a name.
fn named(info: &Info) -> Object {
    let mut object = Object::of(&info.gvk);
    object.set_meta("name", "a");
    object.set_meta("namespace", "b");
    if info.gvk.kind == "ControllerRevision" {
        object.set_at(&["data"], json!({}));
    }
    object
}

#[test]
fn resources_are_unique_and_only_events_and_autoscalers_share_storage() {
    let mut resources = BTreeSet::new();
    let mut prefixes = BTreeSet::new();
    for served in built_in().iter().filter(|s| !s.info.virtual_) {
        let info = &served.info;
        assert!(resources.insert(info.gvr()), "{:?}", info.gvr());
        let shared = ["events", "horizontalpodautoscalers"].contains(&info.plural);
        assert!(prefixes.insert(info.storage) || shared, "{}", info.storage);
        let other_form = [("events.k8s.io", "v1"), ("autoscaling", "v1")];
        assert_eq!(served.strategy.converted(), other_form.contains(&(&*info.gvk.group, &*info.gvk.version)));
    }
}

#[test]
fn discovery_lists_verbs_and_subresources_in_order() {
    for served in built_in() {
        let info = &served.info;
        assert!(info.verbs.is_sorted(), "{}", info.plural);
        assert!(info.subresources.is_sorted_by_key(|s| s.name), "{}", info.plural);
        assert!(info.subresources.iter().all(|s| s.verbs.is_sorted()), "{}", info.plural);
        assert_eq!(info.plural, info.plural.to_lowercase());
        assert_eq!(info.singular, info.gvk.kind.to_lowercase());
    }
}

#[test]
fn rows_fit_their_head_even_of_an_empty_object() {
    for served in built_in() {
        let json = named(&served.info).to_json();
        assert_eq!(served.strategy.row(&json, now()).len(), served.strategy.columns().len(), "{}", served.info.plural);
    }
}

#[test]
fn defaults_are_settled_after_one_pass() {
    for served in built_in() {
        let mut once = named(&served.info);
        served.strategy.default(&mut once).expect("the kind's shape");
        let mut twice = once.clone();
        served.strategy.default(&mut twice).expect("the kind's shape");
        assert_eq!(once, twice, "{}", served.info.plural);
    }
}

#[test]
fn an_update_that_changes_nothing_is_valid_where_the_object_was() {
    for served in built_in().iter().filter(|s| !s.info.virtual_) {
        let (strategy, cx) = (&served.strategy, cx(""));
        let mut object = named(&served.info);
        strategy.default(&mut object).expect("the kind's shape");
        strategy.prepare(&cx, &mut object, None).expect("the kind's shape");
        let made = strategy.validate(&cx, &object, None).expect("the kind's shape");
        let mut again = object.clone();
        strategy.prepare(&cx, &mut again, Some(&object)).expect("the kind's shape");
        assert_eq!(again, object, "{}", served.info.plural);
        if made.is_empty() {
            let changed = strategy.validate(&cx, &again, Some(&object)).expect("the kind's shape");
            assert_eq!(changed.to_string(), "", "{}", served.info.plural);
        }
    }
}

#[test]
fn every_kind_can_be_selected_by_name() {
    for served in built_in() {
        let names = served.strategy.field_names();
        assert_eq!(names[..2], ["metadata.name", "metadata.namespace"]);
        let fields = served.strategy.fields(&named(&served.info).to_json());
        assert_eq!(fields.len(), names.len(), "{}", served.info.plural);
    }
}
