//! DaemonSet: one pod on each node.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::apps::{
    DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy, RollingUpdateDaemonSet,
};
use nakhoda_api::selector::{LabelSelector as Selector, labels};

use crate::kind::{Columns, Cx, FieldPath, Info, Kind, STATUS};
use crate::rules::check::{self, immutable, keep_status, nonnegative, same, text};
use crate::rules::defaults::{self, fill};
use crate::rules::{pod, print, workload};

/// The kind.
pub struct DaemonSets;

/// Which template of the set this is, by number, as old clients look for it.
const TEMPLATE: &str = "deprecated.daemonset.template.generation";

fn templates(set: &DaemonSet) -> i64 {
    let noted = set.metadata.annotations.as_ref().and_then(|all| all.get(TEMPLATE));
    noted.and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Kind for DaemonSets {
    type Object = DaemonSet;

    const OPTIONAL: &'static [FieldPath] = &[workload::SELECTOR];

    fn info() -> Info {
        Info {
            short: &["ds"],
            categories: &["all"],
            subresources: &[STATUS],
            generation: true,
            unshown: &[TEMPLATE],
            ..Info::of::<DaemonSet>("daemonsets", "daemonset", Scope::Namespaced)
        }
    }

    fn default(set: &mut DaemonSet) {
        set.metadata.annotations.get_or_insert_default().entry(TEMPLATE.into()).or_insert_with(|| "0".into());
        let spec = &mut set.spec;
        spec.revision_history_limit.get_or_insert(10);
        let strategy = spec.update_strategy.get_or_insert_default();
        fill(&mut strategy.type_, "RollingUpdate");
        if text(&strategy.type_) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            rolling.max_unavailable.get_or_insert(IntOrString::Int(1));
            rolling.max_surge.get_or_insert(IntOrString::Int(0));
        }
        defaults::template(&mut spec.template);
    }

    fn prepare(cx: &Cx, new: &mut DaemonSet, old: Option<&DaemonSet>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        let now = match old {
            None => templates(new).max(1),
            Some(old) if same(&new.spec.template, &old.spec.template) => templates(old),
            Some(old) => templates(old) + 1,
        };
        new.metadata.annotations.get_or_insert_default().insert(TEMPLATE.into(), now.to_string());
    }

    fn validate(cx: &Cx, new: &DaemonSet, old: Option<&DaemonSet>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, new.status.as_ref());
        }
        if let Some(old) = old {
            immutable(errors, &Path::new("spec.selector"), &new.spec.selector, &old.spec.selector);
        }
        spec(errors, &Path::new("spec"), &new.spec, cx.lacks(workload::SELECTOR));
    }

    fn warnings(new: &DaemonSet, old: Option<&DaemonSet>) -> Vec<String> {
        let same = old.is_some_and(|old| same(&new.spec.template, &old.spec.template));
        if same { Vec::new() } else { pod::warnings::workload(None, Some(&new.spec.template)) }
    }

    fn columns() -> Columns<DaemonSet> {
        fn status(set: &DaemonSet) -> DaemonSetStatus {
            set.status.clone().unwrap_or_default()
        }
        fn containers(set: &DaemonSet) -> &[nakhoda_api::kinds::core::Container] {
            set.spec.template.spec.as_ref().map_or(&[], |s| &s.containers)
        }
        Columns::<DaemonSet>::named()
            .number("Desired", |d, _| status(d).desired_number_scheduled.into())
            .number("Current", |d, _| status(d).current_number_scheduled.into())
            .number("Ready", |d, _| status(d).number_ready.into())
            .number("Up-to-date", |d, _| status(d).updated_number_scheduled.unwrap_or(0).into())
            .number("Available", |d, _| status(d).number_available.unwrap_or(0).into())
            .text("Node Selector", |d, _| {
                print::labels(d.spec.template.spec.as_ref().and_then(|s| s.node_selector.as_ref())).into()
            })
            .age()
            .wide("Containers", |d, _| print::names(containers(d)).into())
            .wide("Images", |d, _| print::images(containers(d)).into())
            .wide("Selector", |d, _| print::selector(&d.spec.selector).into())
    }
}

fn spec(errors: &mut Errors, path: &Path, spec: &DaemonSetSpec, missing: bool) {
    let (at, template) = (path.child("selector"), path.child("template"));
    check::selector(errors, &at, Some(&spec.selector).filter(|_| !missing));
    let read = if missing { Ok(Selector::nothing()) } else { labels::from_typed(Some(&spec.selector)) };
    if let Ok(selector) = read {
        workload::labels_match(errors, &template, &spec.template, &selector);
    }
    if !missing {
        workload::empty(errors, &at, &spec.selector, "daemonset");
    }
    pod::template(errors, &template, &spec.template);
    workload::runs_for_ever(errors, &template, &spec.template, "DaemonSet");
    nonnegative(errors, &path.child("minReadySeconds"), spec.min_ready_seconds);
    strategy(errors, &path.child("updateStrategy"), spec.update_strategy.as_ref());
    nonnegative(errors, &path.child("revisionHistoryLimit"), spec.revision_history_limit);
}

fn strategy(errors: &mut Errors, path: &Path, strategy: Option<&DaemonSetUpdateStrategy>) {
    let given = strategy.cloned().unwrap_or_default();
    match (text(&given.type_), &given.rolling_update) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.required(&path.child("rollingUpdate"), ""),
        ("RollingUpdate", Some(rolling)) => rolling_update(errors, &path.child("rollingUpdate"), rolling),
        _ => {
            let shown = serde_json::to_value(&given).unwrap_or_default();
            errors.not_supported(path, shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}

fn rolling_update(errors: &mut Errors, path: &Path, rolling: &RollingUpdateDaemonSet) {
    let parts = [("maxUnavailable", rolling.max_unavailable.as_ref()), ("maxSurge", rolling.max_surge.as_ref())];
    for (name, value) in parts {
        value.into_iter().for_each(|v| workload::int_or_percent(errors, &path.child(name), v));
    }
    for (name, value) in parts {
        value.into_iter().for_each(|v| workload::at_most_all(errors, &path.child(name), v));
    }
    match parts.map(|(_, value)| workload::number(value) != 0) {
        [true, true] => {
            let shown = serde_json::to_value(&rolling.max_surge).unwrap_or_default();
            errors.invalid(&path.child("maxSurge"), shown, "may not be set when maxUnavailable is non-zero");
        }
        [false, false] => errors.required(&path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"),
        _ => {}
    }
}

fn status(errors: &mut Errors, status: Option<&DaemonSetStatus>) {
    let Some(status) = status else { return };
    for (name, count) in [
        ("currentNumberScheduled", Some(status.current_number_scheduled)),
        ("numberMisscheduled", Some(status.number_misscheduled)),
        ("desiredNumberScheduled", Some(status.desired_number_scheduled)),
        ("numberReady", Some(status.number_ready)),
        ("updatedNumberScheduled", status.updated_number_scheduled),
        ("numberAvailable", status.number_available),
        ("numberUnavailable", status.number_unavailable),
        ("collisionCount", status.collision_count),
    ] {
        nonnegative(errors, &Path::new("status").child(name), count);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, prepared, row};

    #[test]
    fn defaults_replace_one_pod_at_a_time() {
        let set = defaulted::<DaemonSets>(json!({"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"nodeSelector": {"x": "y"}, "containers": [{"name": "c", "image": "i"}]}}}}));
        assert_eq!(
            set["spec"]["updateStrategy"],
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
        );
        assert_eq!(create::<DaemonSets>(set.clone()), "");
        assert_eq!(row::<DaemonSets>(set)[6], "x=y");
    }

    #[test]
    fn surge_and_unavailability_exclude_each_other() {
        let mut set = defaulted::<DaemonSets>(json!({"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}));
        set["spec"]["updateStrategy"]["rollingUpdate"] = json!({"maxSurge": "10%", "maxUnavailable": 1});
        assert_eq!(
            create::<DaemonSets>(set),
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: \"10%\": may not be set when maxUnavailable is non-zero"
        );
    }

    #[test]
    fn templates_are_counted_in_an_annotation() {
        let set = |image: &str, annotations: serde_json::Value| {
            json!({"metadata": {"annotations": annotations}, "spec": {"selector": {}, "template": {"spec": {
                "containers": [{"name": "c", "image": image}]}}}})
        };
        let number = |set: serde_json::Value| set["metadata"]["annotations"][TEMPLATE].clone();
        let first = prepared::<DaemonSets>(set("a", json!({})), None);
        assert_eq!(number(first.clone()), "1");
        assert_eq!(number(prepared::<DaemonSets>(set("b", json!({})), Some(first.clone()))), "2");
        assert_eq!(number(prepared::<DaemonSets>(set("a", json!({TEMPLATE: "9"})), Some(first))), "1");
    }
}
