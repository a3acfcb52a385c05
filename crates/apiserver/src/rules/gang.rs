//! What a Workload's templates and a `PodGroup` have in common.
//!
//! Absent, and dropped as upstream drops what a gate closes: composite groups, topology constraints, claims shared by a
//! group, a group's own preemption policy.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::scheduling_v1beta1::{
    DisruptionMode, PodGroupSchedulingPolicy, PodGroupSpec, PodGroupTemplate, WorkloadReference,
};

use serde_json::Value;

use super::check::{IMMUTABLE, label, required, subdomain, text};

/// The highest priority that users may give.
const HIGHEST: i32 = 1_000_000_000;

/// What a group and the template of one both say.
#[derive(Clone, Copy)]
pub struct Common<'a> {
    policy: &'a PodGroupSchedulingPolicy,
    disruption: Option<&'a DisruptionMode>,
    class: &'a str,
    priority: Option<i32>,
}

// === impl Common ===

impl<'a> From<&'a PodGroupSpec> for Common<'a> {
    fn from(spec: &'a PodGroupSpec) -> Self {
        Self {
            policy: &spec.scheduling_policy,
            disruption: spec.disruption_mode.as_ref(),
            class: text(&spec.priority_class_name),
            priority: spec.priority,
        }
    }
}

impl<'a> From<&'a PodGroupTemplate> for Common<'a> {
    fn from(template: &'a PodGroupTemplate) -> Self {
        Self {
            policy: &template.scheduling_policy,
            disruption: template.disruption_mode.as_ref(),
            class: text(&template.priority_class_name),
            priority: template.priority,
        }
    }
}

impl Common<'_> {
    /// Checks it, beside what was there before.
    pub fn check(self, errors: &mut Errors, path: &Path, old: Option<Self>) {
        policy(errors, &path.child("schedulingPolicy"), self.policy, old.map(|old| old.policy));
        let at = path.child("disruptionMode");
        if keeps(errors, &at, &self.disruption, old.map(|old| old.disruption).as_ref())
            && let Some(mode) = self.disruption
        {
            one_of(errors, &at, &[("single", mode.single.is_some()), ("all", mode.all.is_some())]);
        }
        let at = path.child("priorityClassName");
        if keeps(errors, &at, &self.class, old.map(|old| old.class).as_ref()) && !self.class.is_empty() {
            subdomain(errors, &at, self.class);
        }
        let at = path.child("priority");
        if keeps(errors, &at, &self.priority, old.map(|old| old.priority).as_ref())
            && let Some(value) = self.priority.filter(|value| *value > HIGHEST)
        {
            errors.invalid(&at, value, format!("must be less than or equal to {HIGHEST}"));
        }
    }
}

/// From which template of which workload a group was made.
pub fn reference(errors: &mut Errors, path: &Path, reference: &WorkloadReference) {
    named(errors, &path.child("workloadName"), &reference.workload_name, subdomain);
    named(errors, &path.child("templateName"), &reference.template_name, label);
}

/// A name that has to be there, of a form.
pub fn named(errors: &mut Errors, path: &Path, name: &str, form: fn(&mut Errors, &Path, &str)) {
    required(errors, path, name);
    if !name.is_empty() {
        form(errors, path, name);
    }
}

/// Whether a field is new or as it was, which it has to be. What is as it was is not checked again.
pub fn keeps<T: PartialEq>(errors: &mut Errors, path: &Path, new: &T, old: Option<&T>) -> bool {
    if old.is_some_and(|old| old != new) {
        errors.invalid(path, Value::Null, IMMUTABLE);
    }
    old.is_none()
}

/// Exactly one of some fields is there.
pub fn one_of(errors: &mut Errors, path: &Path, members: &[(&str, bool)]) {
    let quoted = |names: Vec<&(&str, bool)>| names.iter().map(|(n, _)| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let all = quoted(members.iter().collect());
    let given: Vec<_> = members.iter().filter(|(_, there)| *there).collect();
    match given.len() {
        0 => errors.invalid(path, "", format!("must specify one of: {all}")),
        1 => {}
        _ => errors.invalid(path, format!("{{{}}}", quoted(given)), format!("must specify exactly one of: {all}")),
    }
}

fn policy(errors: &mut Errors, path: &Path, new: &PodGroupSchedulingPolicy, old: Option<&PodGroupSchedulingPolicy>) {
    if old == Some(new) {
        return;
    }
    one_of(errors, path, &[("basic", new.basic.is_some()), ("gang", new.gang.is_some())]);
    keeps(errors, &path.child("basic"), &new.basic, old.map(|old| &old.basic));
    let at = path.child("gang");
    match old.map(|old| (&old.gang, &new.gang)) {
        Some((None, Some(_))) => errors.invalid(&at, Value::Null, "field cannot be set once created"),
        Some((Some(_), None)) => errors.invalid(&at, Value::Null, "field cannot be cleared once set"),
        _ => {}
    }
    match new.gang.as_ref().map(|gang| gang.min_count) {
        Some(0) => errors.required(&at.child("minCount"), ""),
        Some(count) if count < 0 => {
            errors.invalid(&at.child("minCount"), count, "must be greater than or equal to 1");
        }
        _ => {}
    }
}
