//! Annotations of pods that mean something to the cluster.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Pod, PodSpec};

use crate::rules::check::text;

/// Marks the copy of a pod that a kubelet runs from a file.
pub const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

type Annotations<'a> = Option<&'a BTreeMap<String, String>>;

/// Of a pod or a template.
pub fn validate(errors: &mut Errors, path: &Path, annotations: Annotations<'_>, spec: &PodSpec) {
    let value = |key: &str| annotations.and_then(|a| a.get(key)).map(String::as_str);
    if let Some(mirror) = value(MIRROR).filter(|_| text(&spec.node_name).is_empty()) {
        errors.invalid(&path.key(MIRROR), mirror, "must set spec.nodeName if mirror pod annotation is set");
    }
    if let Some(cost) = value(DELETION_COST).filter(|cost| !is_cost(cost)) {
        errors.invalid(&path.key(DELETION_COST), cost, "must be a 32bit integer");
    }
}

/// As a person writes it: no plus sign, no leading zero.
fn is_cost(text: &str) -> bool {
    let plain = text == "0" || !text.trim_start_matches('-').starts_with('0') && !text.starts_with('+');
    plain && text.parse::<i32>().is_ok()
}

/// Whether a pod is the copy of one that a kubelet runs from a file.
#[must_use]
pub fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(MIRROR))
}

/// A mirror stays one, and nothing else becomes one.
pub fn update(errors: &mut Errors, path: &Path, new: Annotations<'_>, old: Annotations<'_>) {
    let mirror = |a: Annotations<'_>| a.and_then(|a| a.get(MIRROR)).cloned();
    let why = match (mirror(old), mirror(new)) {
        (Some(before), now) if now.as_ref() != Some(&before) => "may not remove or update mirror pod annotation",
        (None, Some(_)) => "may not add mirror pod annotation",
        _ => return,
    };
    errors.forbidden(&path.key(MIRROR), why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_have_a_node_and_costs_are_numbers() {
        let given = BTreeMap::from([(MIRROR.into(), "x".into()), (DELETION_COST.into(), "+1".into())]);
        let mut errors = Errors::default();
        validate(&mut errors, &Path::new("metadata.annotations"), Some(&given), &PodSpec::default());
        update(&mut errors, &Path::new("metadata.annotations"), Some(&given), None);
        assert_eq!(
            errors.to_string(),
            "[metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod annotation is set, \
             metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+1\": must be a 32bit integer, \
             metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation]"
        );
    }
}
