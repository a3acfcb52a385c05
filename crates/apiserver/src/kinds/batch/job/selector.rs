//! The selector of a Job: unless people insist on their own, it is made of the Job's uid, and so are the labels
//! of the pods.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{Job, JobSpec};
use nakhoda_api::kinds::meta::{LabelSelector, ObjectMeta};
use nakhoda_api::selector::labels;

use crate::rules::check::text;
use crate::rules::workload;

const UID: &str = "batch.kubernetes.io/controller-uid";
const NAME: &str = "batch.kubernetes.io/job-name";
/// The names that these labels had before labels of the project had a domain.
const OLD_UID: &str = "controller-uid";
const OLD_NAME: &str = "job-name";

fn is_manual(spec: &JobSpec) -> bool {
    spec.manual_selector == Some(true)
}

/// Adds the selector and the labels where people left them out.
pub(super) fn generate(spec: &mut JobSpec, job: &ObjectMeta) {
    if is_manual(spec) {
        return;
    }
    let (name, uid) = (text(&job.name), text(&job.uid));
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for (key, value) in [(OLD_NAME, name), (NAME, name), (OLD_UID, uid), (UID, uid)] {
        labels.entry(key.into()).or_insert_with(|| value.into());
    }
    let selector = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selector.entry(UID.into()).or_insert_with(|| uid.into());
}

/// Faults if what is generated does not stand there. Jobs from before the labels had a domain need not have those.
pub(super) fn is_generated(errors: &mut Errors, job: &Job, spec: &JobSpec, old: Option<&Job>) {
    let Some(selector) = spec.selector.as_ref().filter(|_| !is_manual(spec)) else { return };
    let (name, uid) = (text(&job.metadata.name), text(&job.metadata.uid));
    let had = |key| labels_of(old.and_then(|o| o.spec.as_ref())).is_some_and(|labels| labels.contains_key(key));
    let current = old.is_none() || had(NAME) && had(UID);
    let mut expected = vec![(OLD_UID, uid), (OLD_NAME, name)];
    if current {
        expected.extend([(UID, uid), (NAME, name)]);
    }
    for (key, value) in &expected {
        has_label(errors, labels_of(Some(spec)), key, value);
    }
    let expected: BTreeMap<String, String> = expected.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    if labels::from_typed(Some(selector)).is_ok_and(|read| !read.matches(&expected)) {
        let at = Path::new("spec.selector");
        errors.invalid(&at, shown(selector), "`selector` not auto-generated");
    }
}

/// Whether it was generated or not, the selector must find the pods.
pub(super) fn finds_the_pods(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    if let Ok(selector) = labels::from_typed(spec.selector.as_ref()) {
        workload::labels_match(errors, &path.child("template"), &spec.template, &selector);
    }
}

fn labels_of(spec: Option<&JobSpec>) -> Option<&BTreeMap<String, String>> {
    spec.and_then(|s| s.template.metadata.as_ref()).and_then(|m| m.labels.as_ref())
}

fn has_label(errors: &mut Errors, labels: Option<&BTreeMap<String, String>>, key: &str, value: &str) {
    let at = Path::new("spec.template.metadata.labels").key(key);
    match labels.and_then(|labels| labels.get(key)) {
        None => errors.required(&at, format!("must be '{value}'")),
        Some(given) if given != value => {
            let shown = serde_json::to_value(labels).unwrap_or_default();
            errors.invalid(&at, shown, format!("must be '{value}'"));
        }
        Some(_) => {}
    }
}

fn shown(selector: &LabelSelector) -> serde_json::Value {
    serde_json::to_value(selector).unwrap_or_default()
}
