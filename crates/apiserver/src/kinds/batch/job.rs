//! Job: pods that run until enough of them have succeeded.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{Job, JobSpec, JobStatus};
use nakhoda_api::names;

use crate::kind::columns::{human, since};
use crate::kind::{Columns, Cx, Fields, Info, Kind, STATUS};
use crate::rules::check::{self, keep_status};
use crate::rules::{job, pod, print};

mod change;
mod selector;
mod status;

/// The kind.
pub struct Jobs;

const LEFT_BEHIND: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

impl Kind for Jobs {
    type Object = Job;

    fn info() -> Info {
        Info {
            categories: &["all"],
            subresources: &[STATUS],
            generation: true,
            orphans: true,
            left_behind: Some(LEFT_BEHIND),
            ..Info::of::<Job>("jobs", "job", Scope::Namespaced)
        }
    }

    fn default(job: &mut Job) {
        let spec = job.spec.get_or_insert_default();
        if spec.parallelism.is_none() {
            spec.completions.get_or_insert(1);
        }
        spec.parallelism.get_or_insert(1);
        let limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
        spec.backoff_limit.get_or_insert(limit);
        spec.completion_mode.get_or_insert_with(|| "NonIndexed".into());
        spec.suspend.get_or_insert(false);
        let replaced = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
        spec.pod_replacement_policy.get_or_insert_with(|| replaced.into());
        spec.manual_selector.get_or_insert(false);
        job::default(spec);
    }

    fn prepare(cx: &Cx, new: &mut Job, old: Option<&Job>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        let spec = new.spec.get_or_insert_default();
        // pods that are scheduled together are a feature that upstream has switched off
        if old.and_then(|o| o.spec.as_ref()).is_none_or(|s| s.scheduling.is_none()) {
            spec.scheduling = None;
        }
        if old.is_none() {
            selector::generate(spec, &new.metadata);
        }
        let labels = spec.template.metadata.as_ref().and_then(|m| m.labels.as_ref());
        let own = new.metadata.labels.as_ref();
        // what makes no label is told of the template only
        let fit = names::is_label_value(check::text(&new.metadata.name)).is_empty();
        if fit && own.is_none_or(|own| own.is_empty()) {
            new.metadata.labels = labels.cloned();
        }
    }

    fn validate(cx: &Cx, new: &Job, old: Option<&Job>, errors: &mut Errors) {
        let (none, no_status) = (JobSpec::default(), JobStatus::default());
        let spec = |job: &Job| job.spec.clone().unwrap_or_default();
        if cx.subresource == "status" {
            let before = old.and_then(|o| o.status.as_ref()).unwrap_or(&no_status);
            return status::validate(errors, &spec(new), new.status.as_ref().unwrap_or(&no_status), before);
        }
        let now = new.spec.as_ref().unwrap_or(&none);
        selector::is_generated(errors, new, now, old);
        whole(errors, now);
        hostnames(errors, new, now);
        if let Some(old) = old {
            whole(errors, now);
            change::validate(errors, now, &spec(old), old.status.as_ref().unwrap_or(&no_status));
        }
    }

    fn warnings(new: &Job, old: Option<&Job>) -> Vec<String> {
        let mut warnings = pod::warnings::workload(new.metadata.name.as_ref().filter(|_| old.is_none()), None);
        if old.is_none_or(|old| old.metadata.generation != new.metadata.generation) {
            warnings.extend(new.spec.iter().flat_map(|spec| job::warnings("spec", spec)));
        }
        warnings
    }

    fn fields(job: &Job) -> Fields {
        let succeeded = job.status.as_ref().and_then(|s| s.succeeded).unwrap_or(0);
        vec![("status.successful", succeeded.to_string())]
    }

    fn columns() -> Columns<Job> {
        Columns::<Job>::named()
            .text("Status", |j, _| state(j).into())
            .text("Completions", |j, _| completions(j).into())
            .text("Duration", |j, now| duration(j, now).into())
            .age()
            .wide("Containers", |j, _| j.spec.iter().map(|s| print::names(print::containers(&s.template))).collect::<String>().into())
            .wide("Images", |j, _| j.spec.iter().map(|s| print::images(print::containers(&s.template))).collect::<String>().into())
            .wide("Selector", |j, _| {
                let selector = j.spec.as_ref().and_then(|s| s.selector.as_ref());
                selector.map_or_else(|| print::NONE.into(), print::selector).into()
            })
    }
}

/// The spec as it stands.
fn whole(errors: &mut Errors, spec: &JobSpec) {
    let path = Path::new("spec");
    job::validate(errors, &path, spec);
    match &spec.selector {
        None => errors.required(&path.child("selector"), ""),
        given => check::selector(errors, &path.child("selector"), given.as_ref()),
    }
    selector::finds_the_pods(errors, &path, spec);
}

/// Pods of indexed Jobs are called after the Job and their number.
fn hostnames(errors: &mut Errors, job: &Job, spec: &JobSpec) {
    let Some(last) = spec.completions.filter(|n| job::is_indexed(spec) && *n > 0).map(|n| n - 1) else { return };
    let name = check::text(&job.metadata.name);
    let longest = format!("{name}-{last}");
    if !names::is_dns1123_label(&longest).is_empty() {
        let why = format!("will not able to create pod with invalid DNS label: {longest}");
        errors.invalid(&Path::new("metadata.name"), name, why);
    }
}

/// The first of these that holds, `Terminating` if the Job is being deleted, and `Running` if none does.
fn state(job: &Job) -> &'static str {
    let is = |kind: &&str| job.status.as_ref().is_some_and(|s| status::is_true(s, kind));
    let ended = ["Complete", "Failed"].into_iter().find(is);
    let going = job.metadata.deletion_timestamp.is_some().then_some("Terminating");
    let held = || ["Suspended", "FailureTarget", "SuccessCriteriaMet"].into_iter().find(is);
    ended.or(going).or_else(held).unwrap_or("Running")
}

fn completions(job: &Job) -> String {
    let spec = job.spec.as_ref();
    let done = job.status.as_ref().and_then(|s| s.succeeded).unwrap_or(0);
    match (spec.and_then(|s| s.completions), spec.and_then(|s| s.parallelism).unwrap_or(0)) {
        (Some(wanted), _) => format!("{done}/{wanted}"),
        (None, parallel) if parallel > 1 => format!("{done}/1 of {parallel}"),
        (None, _) => format!("{done}/1"),
    }
}

fn duration(job: &Job, now: jiff::Timestamp) -> String {
    let time = |pick: fn(&JobStatus) -> &Option<_>| job.status.as_ref().and_then(|s| pick(s).clone());
    match (time(|s| &s.start_time), time(|s| &s.completion_time)) {
        (None, _) => String::new(),
        (Some(start), None) => since(Some(start.0), now),
        (Some(start), Some(end)) => human(end.0.duration_since(start.0).as_secs()),
    }
}

#[cfg(test)]
mod tests;
