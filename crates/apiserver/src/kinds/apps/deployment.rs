//! Deployment: replaces pods by those of a newer template, step by step.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::apps::{
    Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy, RollingUpdateDeployment,
};
use nakhoda_api::selector;

use crate::kind::{Columns, Cx, FieldPath, Info, Kind, SCALE, STATUS};
use crate::rules::check::{immutable, keep_status, nonnegative, text};
use crate::rules::defaults::{self, fill};
use crate::rules::{pod, print, workload};

/// The kind.
pub struct Deployments;

impl Kind for Deployments {
    type Object = Deployment;

    const OPTIONAL: &'static [FieldPath] = &[workload::SELECTOR];

    fn info() -> Info {
        Info {
            short: &["deploy"],
            categories: &["all"],
            subresources: &[SCALE, STATUS],
            resets: &[("status", &[&["spec"], &["metadata", "labels"]])],
            generation: true,
            counted: &["annotations"],
            ..Info::of::<Deployment>("deployments", "deployment", Scope::Namespaced)
        }
    }

    fn default(deployment: &mut Deployment) {
        let spec = &mut deployment.spec;
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        let strategy = spec.strategy.get_or_insert_default();
        fill(&mut strategy.type_, "RollingUpdate");
        if text(&strategy.type_) == "RollingUpdate" {
            let rolling = strategy.rolling_update.get_or_insert_default();
            rolling.max_unavailable.get_or_insert(IntOrString::String("25%".into()));
            rolling.max_surge.get_or_insert(IntOrString::String("25%".into()));
        }
        defaults::template(&mut spec.template);
    }

    fn prepare(cx: &Cx, new: &mut Deployment, old: Option<&Deployment>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        if let Some(old) = old.filter(|_| cx.subresource == "status") {
            new.metadata.labels.clone_from(&old.metadata.labels);
        }
    }

    fn validate(cx: &Cx, new: &Deployment, old: Option<&Deployment>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, new.status.as_ref(), old.and_then(|o| o.status.as_ref()));
        }
        spec(errors, &Path::new("spec"), &new.spec, cx.lacks(workload::SELECTOR));
        if let Some(old) = old {
            immutable(errors, &Path::new("spec.selector"), &new.spec.selector, &old.spec.selector);
        }
    }

    fn warnings(new: &Deployment, old: Option<&Deployment>) -> Vec<String> {
        if old.is_some_and(|old| new.metadata.generation == old.metadata.generation) {
            Vec::new()
        } else {
            pod::warnings::workload(new.metadata.name.as_ref().filter(|_| old.is_none()), Some(&new.spec.template))
        }
    }

    fn columns() -> Columns<Deployment> {
        fn status(deployment: &Deployment) -> DeploymentStatus {
            deployment.status.clone().unwrap_or_default()
        }
        fn containers(deployment: &Deployment) -> &[nakhoda_api::kinds::core::Container] {
            deployment.spec.template.spec.as_ref().map_or(&[], |s| &s.containers)
        }
        Columns::<Deployment>::named()
            .text("Ready", |d, _| {
                format!("{}/{}", status(d).ready_replicas.unwrap_or(0), d.spec.replicas.unwrap_or(0)).into()
            })
            .text("Up-to-date", |d, _| status(d).updated_replicas.unwrap_or(0).into())
            .text("Available", |d, _| status(d).available_replicas.unwrap_or(0).into())
            .age()
            .wide("Containers", |d, _| print::names(containers(d)).into())
            .wide("Images", |d, _| print::images(containers(d)).into())
            .wide("Selector", |d, _| {
                let read = selector::labels::from_typed(Some(&d.spec.selector));
                read.map_or_else(|_| "<invalid>".into(), |s| s.to_string()).into()
            })
    }
}

fn spec(errors: &mut Errors, path: &Path, spec: &DeploymentSpec, missing: bool) {
    nonnegative(errors, &path.child("replicas"), spec.replicas);
    match workload::selector(errors, &path.child("selector"), &spec.selector, (missing, "deployment")) {
        Some(selector) => {
            workload::template(errors, &path.child("template"), Some(&spec.template), &selector, "ReplicaSet");
        }
        None => workload::unreadable(errors, &path.child("selector"), &spec.selector),
    }
    strategy(errors, &path.child("strategy"), spec.strategy.as_ref());
    nonnegative(errors, &path.child("minReadySeconds"), spec.min_ready_seconds);
    nonnegative(errors, &path.child("revisionHistoryLimit"), spec.revision_history_limit);
    let at = path.child("progressDeadlineSeconds");
    nonnegative(errors, &at, spec.progress_deadline_seconds);
    if spec.progress_deadline_seconds.is_some_and(|s| s <= spec.min_ready_seconds.unwrap_or(0)) {
        errors.invalid(&at, spec.progress_deadline_seconds, "must be greater than minReadySeconds");
    }
}

fn strategy(errors: &mut Errors, path: &Path, strategy: Option<&DeploymentStrategy>) {
    let given = strategy.cloned().unwrap_or_default();
    let at = path.child("rollingUpdate");
    match (text(&given.type_), &given.rolling_update) {
        ("Recreate", None) => {}
        ("Recreate", Some(_)) => {
            errors.forbidden(&at, "may not be specified when strategy `type` is 'Recreate'");
        }
        ("RollingUpdate", None) => errors.required(&at, "this should be defaulted and never be nil"),
        ("RollingUpdate", Some(rolling)) => rolling_update(errors, &at, rolling),
        _ => {
            let shown = serde_json::to_value(&given).unwrap_or_default();
            errors.not_supported(path, shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

fn rolling_update(errors: &mut Errors, path: &Path, rolling: &RollingUpdateDeployment) {
    let (unavailable, surge) = (rolling.max_unavailable.as_ref(), rolling.max_surge.as_ref());
    let at = path.child("maxUnavailable");
    unavailable.into_iter().for_each(|v| workload::int_or_percent(errors, &at, v));
    surge.into_iter().for_each(|v| workload::int_or_percent(errors, &path.child("maxSurge"), v));
    if workload::number(unavailable) == 0 && workload::number(surge) == 0 {
        let shown = serde_json::to_value(unavailable).unwrap_or_default();
        errors.invalid(&at, shown, "may not be 0 when `maxSurge` is 0");
    }
    unavailable.into_iter().for_each(|v| workload::at_most_all(errors, &at, v));
}

fn status(errors: &mut Errors, new: Option<&DeploymentStatus>, old: Option<&DeploymentStatus>) {
    let Some(status) = new else { return };
    let counts = [
        ("replicas", status.replicas, false),
        ("updatedReplicas", status.updated_replicas, true),
        ("readyReplicas", status.ready_replicas, true),
        ("availableReplicas", status.available_replicas, true),
        ("unavailableReplicas", status.unavailable_replicas, false),
        ("terminatingReplicas", status.terminating_replicas, false),
        ("collisionCount", status.collision_count, false),
    ];
    workload::counts(errors, status.replicas.unwrap_or(0), &counts);
    let before = old.and_then(|o| o.collision_count);
    workload::not_decremented(errors, "collisionCount", status.collision_count, before);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, status, update};

    fn deployment() -> Value {
        defaulted::<Deployments>(json!({"metadata": {"name": "d"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}))
    }

    #[test]
    fn defaults_are_a_rolling_update_of_a_quarter() {
        let spec = &deployment()["spec"];
        assert_eq!(
            spec["strategy"],
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
        );
        assert_eq!([&spec["replicas"], &spec["revisionHistoryLimit"], &spec["progressDeadlineSeconds"]], [1, 10, 600]);
        assert_eq!(spec["template"]["spec"]["restartPolicy"], "Always");
        assert_eq!(create::<Deployments>(deployment()), "");
    }

    #[test]
    fn the_row_counts_replicas() {
        let mut deployment = deployment();
        deployment["status"] = json!({"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 3});
        assert_eq!(
            row::<Deployments>(deployment),
            [json!("d"), json!("1/1"), json!(2), json!(3), json!("<unknown>"), json!("c"), json!("i"), json!("a=b")]
        );
    }

    #[test]
    fn faults_read_as_upstream_words_them() {
        let mut new = deployment();
        new["spec"]["selector"] = json!({"matchLabels": {"x": "y"}});
        new["spec"]["strategy"]["rollingUpdate"] = json!({"maxSurge": 0, "maxUnavailable": "0%"});
        new["spec"]["minReadySeconds"] = json!(600);
        let faults = "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`, \
             spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0, \
             spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds";
        assert_eq!(create::<Deployments>(new.clone()), format!("[{faults}]"));
        assert_eq!(
            update::<Deployments>(deployment(), new),
            format!(
                "[{faults}, spec.selector: Invalid value: {{\"matchLabels\":{{\"x\":\"y\"}}}}: field is immutable]"
            )
        );
        let mut empty = deployment();
        empty["spec"]["selector"] = json!({});
        let faults = "spec.selector: Invalid value: {}: empty selector is invalid for deployment";
        assert_eq!(create::<Deployments>(empty.clone()), faults);
        empty["spec"].as_object_mut().expect("a spec").remove("selector");
        assert_eq!(
            create::<Deployments>(empty),
            "[spec.selector: Required value, \
             spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`]"
        );
    }

    #[test]
    fn a_status_counts_what_is_there() {
        let mut new = deployment();
        new["status"] = json!({"replicas": 1, "readyReplicas": 2, "availableReplicas": -1});
        assert_eq!(
            status::<Deployments>(deployment(), new),
            "[status.availableReplicas: Invalid value: -1: must be greater than or equal to 0, \
             status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas]"
        );
    }
}
