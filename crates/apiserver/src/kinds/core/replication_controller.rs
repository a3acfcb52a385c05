//! ReplicationController: the old way to keep a number of pods.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{ReplicationController, ReplicationControllerStatus};
use nakhoda_api::selector::LabelSelector;

use crate::kind::{Columns, Cx, Fields, Info, Kind, SCALE, STATUS};
use crate::rules::check::{keep_status, nonnegative};
use crate::rules::{defaults, pod, print, workload};

/// The kind.
pub struct ReplicationControllers;

impl Kind for ReplicationControllers {
    type Object = ReplicationController;

    fn info() -> Info {
        Info {
            short: &["rc"],
            categories: &["all"],
            subresources: &[SCALE, STATUS],
            storage: "controllers",
            generation: true,
            orphans: true,
            ..Info::of::<ReplicationController>("replicationcontrollers", "replicationcontroller", Scope::Namespaced)
        }
    }

    fn default(rc: &mut ReplicationController) {
        let spec = rc.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        let Some(template) = &mut spec.template else { return };
        defaults::template(template);
        let Some(labels) = template.metadata.as_ref().and_then(|m| m.labels.clone()) else { return };
        if spec.selector.as_ref().is_none_or(|s| s.is_empty()) {
            spec.selector = Some(labels.clone());
        }
        if rc.metadata.labels.as_ref().is_none_or(|l| l.is_empty()) {
            rc.metadata.labels = Some(labels);
        }
    }

    fn prepare(cx: &Cx, new: &mut ReplicationController, old: Option<&ReplicationController>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
    }

    fn validate(cx: &Cx, new: &ReplicationController, _: Option<&ReplicationController>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, new.status.as_ref());
        }
        let (path, spec) = (Path::new("spec"), new.spec.clone().unwrap_or_default());
        nonnegative(errors, &path.child("minReadySeconds"), spec.min_ready_seconds);
        let selector = LabelSelector::from_map(&spec.selector.unwrap_or_default());
        if selector.is_everything() {
            errors.required(&path.child("selector"), "");
        }
        nonnegative(errors, &path.child("replicas"), spec.replicas);
        workload::template(errors, &path.child("template"), spec.template.as_ref(), &selector, "ReplicationController");
    }

    fn warnings(new: &ReplicationController, old: Option<&ReplicationController>) -> Vec<String> {
        let template = |rc: &'_ ReplicationController| rc.spec.as_ref().and_then(|s| s.template.clone());
        match old {
            None => pod::warnings::workload(new.metadata.name.as_ref(), template(new).as_ref()),
            Some(old) if old.metadata.generation == new.metadata.generation => Vec::new(),
            // upstream looks at the template as it was
            Some(old) => pod::warnings::workload(None, template(old).as_ref()),
        }
    }

    fn fields(rc: &ReplicationController) -> Fields {
        vec![("status.replicas", rc.status.as_ref().map_or(0, |s| s.replicas).to_string())]
    }

    fn columns() -> Columns<ReplicationController> {
        Columns::<ReplicationController>::named()
            .number("Desired", |r, _| r.spec.as_ref().and_then(|s| s.replicas).unwrap_or(0).into())
            .number("Current", |r, _| r.status.as_ref().map_or(0, |s| s.replicas).into())
            .number("Ready", |r, _| r.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0).into())
            .age()
            .wide("Containers", |r, _| print::names(containers(r)).into())
            .wide("Images", |r, _| print::images(containers(r)).into())
            .wide("Selector", |r, _| print::labels(r.spec.as_ref().and_then(|s| s.selector.as_ref())).into())
    }
}

fn containers(rc: &ReplicationController) -> &[nakhoda_api::kinds::core::Container] {
    let template = rc.spec.as_ref().and_then(|s| s.template.as_ref());
    template.and_then(|t| t.spec.as_ref()).map_or(&[], |s| &s.containers)
}

fn status(errors: &mut Errors, status: Option<&ReplicationControllerStatus>) {
    let Some(status) = status else { return };
    let counts = [
        ("replicas", Some(status.replicas), false),
        ("fullyLabeledReplicas", status.fully_labeled_replicas, true),
        ("readyReplicas", status.ready_replicas, true),
        ("availableReplicas", status.available_replicas, true),
    ];
    workload::counts(errors, status.replicas, &counts);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row};

    #[test]
    fn selector_and_labels_come_from_the_template() {
        let template =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let rc =
            defaulted::<ReplicationControllers>(json!({"metadata": {"name": "x"}, "spec": {"template": template}}));
        assert_eq!((&rc["spec"]["replicas"], &rc["spec"]["selector"]), (&json!(1), &json!({"a": "b"})));
        assert_eq!(rc["metadata"]["labels"], json!({"a": "b"}));
        assert_eq!(create::<ReplicationControllers>(rc.clone()), "");
        assert_eq!(
            row::<ReplicationControllers>(rc),
            [json!("x"), json!(1), json!(0), json!(0), json!("<unknown>"), json!("c"), json!("i"), json!("a=b")]
        );
    }

    #[test]
    fn selector_and_template_are_needed() {
        assert_eq!(
            create::<ReplicationControllers>(json!({"spec": {"replicas": -1}})),
            "[spec.selector: Required value, spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.template: Required value]"
        );
    }
}
