//! What the status of a Job may become. Other controllers than ours may write it, so that each step is checked; a
//! rule is asked only where something it is about has changed, since the spec may have changed underneath.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{JobSpec, JobStatus, UncountedTerminatedPods};
use serde_json::Value;

use crate::rules::check::{list, nonnegative, text};
use crate::rules::job::{indexes, is_indexed};

const PATH: &str = "status";

/// A step from one status to the next.
struct Step<'a> {
    spec: &'a JobSpec,
    new: &'a JobStatus,
    old: &'a JobStatus,
}

/// Whether the status has the condition.
pub(super) fn is_true(status: &JobStatus, kind: &str) -> bool {
    list(&status.conditions).iter().any(|c| c.type_ == kind && c.status == "True")
}

fn is_finished(status: &JobStatus) -> bool {
    is_true(status, "Complete") || is_true(status, "Failed")
}

/// A changed status.
pub(super) fn validate(errors: &mut Errors, spec: &JobSpec, new: &JobStatus, old: &JobStatus) {
    let step = Step { spec, new, old };
    counts(errors, new);
    if let Some(pods) = &new.uncounted_terminated_pods {
        uncounted(errors, pods);
    }
    step.completion(errors);
    step.times(errors);
    step.causes(errors);
    step.end(errors);
    step.numbers(errors);
    step.pods(errors);
    step.success(errors);
    step.direction(errors);
}

fn at(field: &str) -> Path {
    Path::new(PATH).child(field)
}

fn counts(errors: &mut Errors, status: &JobStatus) {
    for (field, count) in [
        ("active", status.active),
        ("succeeded", status.succeeded),
        ("failed", status.failed),
        ("ready", status.ready),
        ("terminating", status.terminating),
    ] {
        nonnegative(errors, &at(field), count);
    }
}

fn uncounted(errors: &mut Errors, pods: &UncountedTerminatedPods) {
    let mut seen = std::collections::BTreeSet::new();
    for (field, uids) in [("succeeded", &pods.succeeded), ("failed", &pods.failed)] {
        let path = at("uncountedTerminatedPods").child(field);
        for (i, uid) in list(uids).iter().enumerate() {
            if uid.is_empty() {
                errors.invalid(&path.index(i), "", "must not be empty");
            } else if !seen.insert(uid) {
                errors.duplicate(&path.index(i), uid.as_str());
            }
        }
    }
}

fn shown<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

// === impl Step ===

impl Step<'_> {
    fn is(&self, kind: &str) -> bool {
        is_true(self.new, kind)
    }

    fn was(&self, kind: &str) -> bool {
        is_true(self.old, kind)
    }

    fn turned(&self, kind: &str) -> bool {
        self.is(kind) != self.was(kind)
    }

    fn changed<T: PartialEq>(&self, field: fn(&JobStatus) -> &T) -> bool {
        field(self.new) != field(self.old)
    }

    fn newly_finished(&self) -> bool {
        is_finished(self.new) != is_finished(self.old)
    }

    fn completion(&self, errors: &mut Errors) {
        let path = at("conditions");
        let complete = self.turned("Complete");
        for (kind, why) in [
            ("Failed", "cannot set Complete=True and Failed=true conditions"),
            ("FailureTarget", "cannot set Complete=True and FailureTarget=true conditions"),
        ] {
            if (complete || self.turned(kind)) && self.is("Complete") && self.is(kind) {
                errors.unfit(&path, why);
            }
        }
    }

    fn times(&self, errors: &mut Errors) {
        let path = at("completionTime");
        let (start, end) = (&self.new.start_time, &self.new.completion_time);
        let changed = self.changed(|s| &s.completion_time);
        if changed || self.turned("Complete") {
            match (end, self.is("Complete")) {
                (Some(end), false) => {
                    errors.invalid(&path, shown(end), "cannot set completionTime when there is no Complete=True condition");
                }
                (None, true) => errors.required(&path, "completionTime is required for Complete jobs"),
                _ => {}
            }
        }
        if (changed || self.changed(|s| &s.start_time))
            && let (Some(start), Some(end)) = (start, end)
            && end.0 < start.0
        {
            errors.invalid(&path, shown(end), "must be equal to or after `startTime`");
        }
    }

    fn causes(&self, errors: &mut Errors) {
        let path = at("conditions");
        if (self.turned("Failed") || self.changed(|s| &s.failed_indexes))
            && self.is("Failed")
            && !self.is("FailureTarget")
        {
            errors.unfit(&path, "cannot set Failed=True condition without the FailureTarget=true condition");
        }
        if (self.turned("Complete") || self.turned("SuccessCriteriaMet"))
            && self.is("Complete")
            && !self.is("SuccessCriteriaMet")
        {
            errors.unfit(&path, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
        }
    }

    fn end(&self, errors: &mut Errors) {
        if !is_finished(self.new) {
            return;
        }
        let finished = self.newly_finished();
        if let Some(active) = self.new.active.filter(|n| *n > 0)
            && (finished || self.changed(|s| &s.active))
        {
            errors.invalid(&at("active"), active, "active>0 is invalid for finished job");
        }
        let nothing_to_do = self.spec.suspend == Some(true) && self.spec.completions == Some(0);
        if self.new.start_time.is_none() && (finished || self.changed(|s| &s.start_time)) && !nothing_to_do {
            errors.required(&at("startTime"), "startTime is required for finished job");
        }
        if let Some(pods) = &self.new.uncounted_terminated_pods
            && (finished || self.changed(|s| &s.uncounted_terminated_pods))
            && list(&pods.failed).len() + list(&pods.succeeded).len() > 0
        {
            errors.invalid(&at("uncountedTerminatedPods"), shown(pods), "must be empty for finished job");
        }
    }

    fn numbers(&self, errors: &mut Errors) {
        let (done, failed) = (text(&self.new.completed_indexes), self.new.failed_indexes.as_deref());
        let done_changed = done != text(&self.old.completed_indexes);
        let failed_changed = self.changed(|s| &s.failed_indexes);
        let (at_done, at_failed) = (at("completedIndexes"), at("failedIndexes"));
        let limited = self.spec.backoff_limit_per_index.is_some();
        if let Some(completions) = self.spec.completions {
            if let Some(Err(why)) = done_changed.then(|| indexes::count(done, completions)) {
                errors.invalid(&at_done, done, format!("error parsing completedIndexes: {why}"));
            }
            let failed = failed.filter(|_| failed_changed && limited);
            if let Some((failed, Err(why))) = failed.map(|failed| (failed, indexes::count(failed, completions))) {
                errors.invalid(&at_failed, failed, format!("error parsing failedIndexes: {why}"));
            }
        }
        if done_changed && !done.is_empty() && !is_indexed(self.spec) {
            let why = "cannot set non-empty completedIndexes when non-indexed completion mode";
            errors.invalid(&at_done, done, why);
        }
        let Some(failed) = failed else { return };
        if failed_changed && !limited {
            let why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
            errors.invalid(&at_failed, failed, why);
        }
        if let Some(completions) = self.spec.completions.filter(|_| done_changed || failed_changed)
            && let Some(number) = indexes::overlap(done, failed, completions)
        {
            errors.invalid(&at_failed, failed, format!("failedIndexes and completedIndexes overlap at index: {number}"));
        }
    }

    fn pods(&self, errors: &mut Errors) {
        let terminating = self.new.terminating.unwrap_or(0);
        let ends = self.newly_finished() || self.changed(|s| &s.terminating);
        if terminating > 0 && is_finished(self.new) && ends {
            errors.invalid(&at("terminating"), terminating, "terminating>0 is invalid for finished job");
        }
        let (ready, active) = (self.new.ready.unwrap_or(0), self.new.active.unwrap_or(0));
        let active_changed = active != self.old.active.unwrap_or(0);
        if ready > active && (active_changed || self.changed(|s| &s.ready)) {
            errors.invalid(&at("ready"), ready, "cannot set more ready pods than active");
        }
    }

    fn success(&self, errors: &mut Errors) {
        let path = at("conditions");
        let met = self.is("SuccessCriteriaMet");
        if met && self.is("Failed") {
            errors.unfit(&path, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
        }
        if met && self.is("FailureTarget") {
            errors.unfit(&path, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
        }
        if self.spec.success_policy.is_some() && !met && self.is("Complete") {
            let why = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
            errors.unfit(&path, why);
        }
    }

    /// What never goes back.
    fn direction(&self, errors: &mut Errors) {
        let path = at("conditions");
        for kind in ["Failed", "Complete", "FailureTarget"] {
            if self.was(kind) && !self.is(kind) {
                errors.unfit(&path, format!("cannot disable the terminal {kind}=True condition"));
            }
        }
        let scales = is_indexed(self.spec) && self.spec.completions == self.spec.parallelism;
        for (field, new, old) in [
            ("failed", self.new.failed, self.old.failed),
            ("succeeded", self.new.succeeded, self.old.succeeded.filter(|_| !scales)),
        ] {
            if new.unwrap_or(0) < old.unwrap_or(0) {
                let why = format!("cannot decrease the {field} counter");
                errors.invalid(&at(field), new.unwrap_or(0), why);
            }
        }
        if let (Some(new), Some(old)) = (&self.new.completion_time, &self.old.completion_time)
            && new != old
        {
            errors.invalid(&at("completionTime"), shown(new), "field is immutable");
        }
        let resumes = self.was("Suspended")
            && list(&self.new.conditions).iter().any(|c| c.type_ == "Suspended" && c.status == "False");
        let started = self.old.start_time.is_some() && self.changed(|s| &s.start_time);
        if started && self.spec.suspend != Some(true) && !resumes {
            let why = "field is immutable for unsuspended job once set";
            errors.invalid(&at("startTime"), shown(&self.new.start_time), why);
        }
        if self.was("SuccessCriteriaMet") && !self.is("SuccessCriteriaMet") {
            errors.unfit(&path, "cannot disable the SuccessCriteriaMet=True condition");
        }
        if self.was("Complete") && !self.was("SuccessCriteriaMet") && self.is("SuccessCriteriaMet") {
            let why = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
            errors.unfit(&path, why);
        }
    }
}
