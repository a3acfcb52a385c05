//! Spreading and preemption.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::TopologySpreadConstraint;
use nakhoda_api::kinds::meta::LabelSelector;

use crate::rules::check::{chosen, list, qualified, selector, supported};

const ACTIONS: &[&str] = &["DoNotSchedule", "ScheduleAnyway"];

/// `topologySpreadConstraints`.
pub fn spread(errors: &mut Errors, path: &Path, constraints: &[TopologySpreadConstraint]) {
    for (i, one) in constraints.iter().enumerate() {
        let at = path.index(i);
        positive(errors, &at.child("maxSkew"), one.max_skew);
        if one.topology_key.is_empty() {
            errors.required(&at.child("topologyKey"), "can not be empty");
        }
        supported(errors, &at.child("whenUnsatisfiable"), &one.when_unsatisfiable, ACTIONS);
        let alike = |c: &TopologySpreadConstraint| {
            c.topology_key == one.topology_key && c.when_unsatisfiable == one.when_unsatisfiable
        };
        if constraints[i + 1..].iter().any(alike) {
            let shown = format!("{{{}, {}}}", one.topology_key, one.when_unsatisfiable);
            errors.duplicate(&at.child("{topologyKey, whenUnsatisfiable}"), shown);
        }
        details(errors, &at, one);
    }
}

fn details(errors: &mut Errors, path: &Path, constraint: &TopologySpreadConstraint) {
    if let Some(domains) = constraint.min_domains {
        let (at, action) = (path.child("minDomains"), &constraint.when_unsatisfiable);
        positive(errors, &at, domains);
        if action != "DoNotSchedule" {
            let why = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
            errors.invalid(&at, domains, why);
        }
    }
    for (field, policy) in
        [("nodeAffinityPolicy", &constraint.node_affinity_policy), ("nodeTaintsPolicy", &constraint.node_taints_policy)]
    {
        if let Some(policy) = policy {
            supported(errors, &path.child(field), policy, &["Honor", "Ignore"]);
        }
    }
    label_keys(errors, &path.child("matchLabelKeys"), list(&constraint.match_label_keys), &constraint.label_selector);
    selector(errors, &path.child("labelSelector"), constraint.label_selector.as_ref());
}

/// Keys of labels that are added to a selector.
pub fn label_keys(errors: &mut Errors, path: &Path, keys: &[String], selector: &Option<LabelSelector>) {
    if !keys.is_empty() && selector.is_none() {
        return errors.forbidden(path, "must not be specified when labelSelector is not set");
    }
    for (i, key) in keys.iter().enumerate() {
        qualified(errors, &path.index(i), key);
    }
}

fn positive(errors: &mut Errors, path: &Path, value: i32) {
    if value <= 0 {
        errors.invalid(path, value, "must be greater than zero");
    }
}

/// Of pods and of priority classes.
pub fn preemption_policy(errors: &mut Errors, path: &Path, policy: &Option<String>) {
    if let Some(policy) = policy {
        chosen(errors, path, policy, &["PreemptLowerPriority", "Never"]);
    }
}
