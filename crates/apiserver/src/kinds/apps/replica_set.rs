//! ReplicaSet: keeps a number of pods of one template.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apps::{ReplicaSet, ReplicaSetSpec, ReplicaSetStatus};

use crate::kind::{Columns, Cx, FieldPath, Fields, Info, Kind, SCALE, STATUS};
use crate::rules::check::{immutable, keep_status, nonnegative};
use crate::rules::{defaults, pod, print, workload};

/// The kind.
pub struct ReplicaSets;

impl Kind for ReplicaSets {
    type Object = ReplicaSet;

    const OPTIONAL: &'static [FieldPath] = &[workload::SELECTOR];

    fn info() -> Info {
        Info {
            short: &["rs"],
            categories: &["all"],
            subresources: &[SCALE, STATUS],
            generation: true,
            ..Info::of::<ReplicaSet>("replicasets", "replicaset", Scope::Namespaced)
        }
    }

    fn default(set: &mut ReplicaSet) {
        let spec = &mut set.spec;
        spec.replicas.get_or_insert(1);
        spec.template.iter_mut().for_each(defaults::template);
    }

    fn prepare(cx: &Cx, new: &mut ReplicaSet, old: Option<&ReplicaSet>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
    }

    fn validate(cx: &Cx, new: &ReplicaSet, old: Option<&ReplicaSet>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, new.status.as_ref());
        }
        spec(errors, &Path::new("spec"), &new.spec, cx.lacks(workload::SELECTOR));
        if let Some(old) = old {
            immutable(errors, &Path::new("spec.selector"), &new.spec.selector, &old.spec.selector);
        }
    }

    fn warnings(new: &ReplicaSet, old: Option<&ReplicaSet>) -> Vec<String> {
        if old.is_some_and(|old| new.metadata.generation == old.metadata.generation) {
            Vec::new()
        } else {
            pod::warnings::workload(new.metadata.name.as_ref().filter(|_| old.is_none()), new.spec.template.as_ref())
        }
    }

    fn fields(set: &ReplicaSet) -> Fields {
        vec![("status.replicas", set.status.as_ref().map_or(0, |s| s.replicas).to_string())]
    }

    fn columns() -> Columns<ReplicaSet> {
        fn containers(set: &ReplicaSet) -> &[nakhoda_api::kinds::core::Container] {
            let template = set.spec.template.as_ref();
            template.and_then(|t| t.spec.as_ref()).map_or(&[], |s| &s.containers)
        }
        Columns::<ReplicaSet>::named()
            .number("Desired", |r, _| r.spec.replicas.unwrap_or(0).into())
            .number("Current", |r, _| r.status.as_ref().map_or(0, |s| s.replicas).into())
            .number("Ready", |r, _| r.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0).into())
            .age()
            .wide("Containers", |r, _| print::names(containers(r)).into())
            .wide("Images", |r, _| print::images(containers(r)).into())
            .wide("Selector", |r, _| print::selector(&r.spec.selector).into())
    }
}

fn spec(errors: &mut Errors, path: &Path, spec: &ReplicaSetSpec, missing: bool) {
    nonnegative(errors, &path.child("replicas"), spec.replicas);
    nonnegative(errors, &path.child("minReadySeconds"), spec.min_ready_seconds);
    match workload::selector(errors, &path.child("selector"), &spec.selector, (missing, "deployment")) {
        Some(selector) => {
            workload::template(errors, &path.child("template"), spec.template.as_ref(), &selector, "ReplicaSet");
        }
        None => workload::unreadable(errors, &path.child("selector"), &spec.selector),
    }
}

fn status(errors: &mut Errors, status: Option<&ReplicaSetStatus>) {
    let Some(status) = status else { return };
    let counts = [
        ("replicas", Some(status.replicas), false),
        ("fullyLabeledReplicas", status.fully_labeled_replicas, true),
        ("readyReplicas", status.ready_replicas, true),
        ("availableReplicas", status.available_replicas, true),
        ("terminatingReplicas", status.terminating_replicas, false),
    ];
    workload::counts(errors, status.replicas, &counts);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn the_row_counts_replicas() {
        let set = json!({"metadata": {"name": "s"}, "spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}},
                         "status": {"replicas": 2, "readyReplicas": 1}});
        assert_eq!(row::<ReplicaSets>(set)[1..4], [3, 2, 1]);
    }

    #[test]
    fn faults_read_as_upstream_words_them() {
        let set = json!({"spec": {"selector": {"matchExpressions": [{"key": "a", "operator": "x"}]}}});
        assert_eq!(
            create::<ReplicaSets>(set),
            "[spec.selector.matchExpressions[0].operator: Invalid value: \"x\": not a valid selector operator, \
             spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"x\"}]}: invalid label selector]"
        );
    }
}
