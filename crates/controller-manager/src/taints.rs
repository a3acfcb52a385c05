//! Taints of nodes and what tolerates them.

use nakhoda_api::kinds::core::{Node, Taint, Toleration};

/// The node says that it is not ready.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";
/// The node says nothing.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// The node takes no new pods because a person said so.
pub const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// The node's disk is full.
pub const DISK_PRESSURE: &str = "node.kubernetes.io/disk-pressure";
/// The node's memory is full.
pub const MEMORY_PRESSURE: &str = "node.kubernetes.io/memory-pressure";
/// The node has too many processes.
pub const PID_PRESSURE: &str = "node.kubernetes.io/pid-pressure";
/// The node's network is not set up.
pub const NETWORK_UNAVAILABLE: &str = "node.kubernetes.io/network-unavailable";

/// Pods that do not tolerate it are not placed.
pub const NO_SCHEDULE: &str = "NoSchedule";
/// Pods that do not tolerate it must go.
pub const NO_EXECUTE: &str = "NoExecute";

/// The taints of a node.
#[must_use]
pub fn of(node: &Node) -> &[Taint] {
    node.spec.as_ref().and_then(|s| s.taints.as_deref()).unwrap_or_default()
}

/// Whether two taints are the same one.
#[must_use]
pub fn is_same(a: &Taint, b: &Taint) -> bool {
    a.key == b.key && a.effect == b.effect
}

/// Whether a toleration tolerates a taint.
#[must_use]
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let absent = |field: &Option<String>| field.as_deref().is_none_or(str::is_empty);
    if !absent(&toleration.effect) && toleration.effect.as_ref() != Some(&taint.effect) {
        return false;
    }
    if !absent(&toleration.key) && toleration.key.as_ref() != Some(&taint.key) {
        return false;
    }
    match toleration.operator.as_deref() {
        Some("Exists") => true,
        None | Some("" | "Equal") => {
            !absent(&toleration.key)
                && toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default()
        }
        Some(_) => false,
    }
}

/// Whether one of the tolerations tolerates a taint.
#[must_use]
pub fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|t| tolerates(t, taint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toleration(key: &str, operator: &str, value: &str, effect: &str) -> Toleration {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Toleration {
            key: some(key),
            operator: some(operator),
            value: some(value),
            effect: some(effect),
            toleration_seconds: None,
        }
    }

    #[test]
    fn a_toleration_fits_by_key_value_and_effect() {
        let taint = Taint { key: "k".into(), value: Some("v".into()), effect: NO_EXECUTE.into(), time_added: None };
        let table = [
            (("", "Exists", "", ""), true),
            (("k", "Exists", "", NO_EXECUTE), true),
            (("k", "Exists", "", NO_SCHEDULE), false),
            (("k", "", "v", ""), true),
            (("k", "Equal", "w", ""), false),
            (("other", "Exists", "", ""), false),
            (("", "Equal", "v", ""), false),
        ];
        for ((key, operator, value, effect), expected) in table {
            assert_eq!(
                tolerates(&toleration(key, operator, value, effect), &taint),
                expected,
                "{key} {operator} {value}"
            );
        }
    }
}
