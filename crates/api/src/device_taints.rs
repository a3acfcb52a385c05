//! Taints of devices: which devices a rule taints, and who tolerates it.

use crate::kinds::resource::{DeviceTaint, DeviceTaintRule, DeviceToleration};

/// Whether a rule taints a device. A rule without a selector taints none, one with an empty selector all.
#[must_use]
pub fn selects(rule: &DeviceTaintRule, driver: &str, pool: &str, device: &str) -> bool {
    let is = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
    rule.spec.device_selector.as_ref().is_some_and(|selector| {
        is(&selector.driver, driver) && is(&selector.pool, pool) && is(&selector.device, device)
    })
}

/// Whether a taint is tolerated, however long.
#[must_use]
pub fn tolerates(toleration: &DeviceToleration, taint: &DeviceTaint) -> bool {
    let any_or =
        |said: &Option<String>, wanted: &str| said.as_deref().is_none_or(|said| said.is_empty() || said == wanted);
    any_or(&toleration.effect, &taint.effect)
        && any_or(&toleration.key, &taint.key)
        && (toleration.operator.as_deref() == Some("Exists")
            || toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_without_a_selector_taints_nothing_and_one_with_an_empty_selector_everything() {
        let taint = json!({"key": "k", "effect": "NoExecute"});
        for (selector, expected) in [
            (json!(null), false),
            (json!({}), true),
            (json!({"driver": "d", "pool": "p", "device": "x"}), true),
            (json!({"driver": "d", "device": "y"}), false),
        ] {
            let rule = json!({"metadata": {}, "spec": {"deviceSelector": selector, "taint": taint}});
            let rule: DeviceTaintRule = serde_json::from_value(rule).expect("a rule");
            assert_eq!(selects(&rule, "d", "p", "x"), expected, "{selector}");
        }
    }
}
