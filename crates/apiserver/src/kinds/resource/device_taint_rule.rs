//! DeviceTaintRule: marks devices of other people's slices as not to be used.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::kinds::resource::{DeviceTaintRule, DeviceTaintSelector};
use nakhoda_api::time::since;

use crate::kind::{Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::{keep_metadata, keep_status, list, text};
use crate::rules::conditions::conditions;
use crate::rules::device::{self, within};

/// The kind.
pub struct DeviceTaintRules;

const CONDITIONS_MAX: usize = 8;

impl Kind for DeviceTaintRules {
    type Object = DeviceTaintRule;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            generation: true,
            returns_deleted: true,
            ..Info::of::<DeviceTaintRule>("devicetaintrules", "devicetaintrule", Scope::Cluster)
        }
    }

    fn prepare(cx: &Cx, new: &mut DeviceTaintRule, old: Option<&DeviceTaintRule>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
        let taint = &mut new.spec.taint;
        let other_effect = old.is_some_and(|old| old.spec.taint.effect != taint.effect);
        if other_effect && old.is_some_and(|old| old.spec.taint.time_added == taint.time_added) {
            taint.time_added = None;
        }
        taint.time_added.get_or_insert(Time(cx.now));
    }

    fn validate(cx: &Cx, new: &DeviceTaintRule, _: Option<&DeviceTaintRule>, errors: &mut Errors) {
        if cx.subresource == "status" {
            let (at, all) = (Path::new("status.conditions"), new.status.as_ref().map(|status| list(&status.conditions)));
            let all = all.unwrap_or_default();
            if within(errors, &at, all.len(), CONDITIONS_MAX) {
                conditions(errors, &at, all);
            }
            return;
        }
        let path = Path::new("spec");
        if let Some(chosen) = &new.spec.device_selector {
            selector(errors, &path.child("deviceSelector"), chosen);
        }
        device::taint(errors, &path.child("taint"), &new.spec.taint);
    }

    fn columns() -> Columns<DeviceTaintRule> {
        Columns::<DeviceTaintRule>::named()
            .text("Key", |rule, _| rule.spec.taint.key.as_str().into())
            .text("Value", |rule, _| text(&rule.spec.taint.value).into())
            .text("Effect", |rule, _| rule.spec.taint.effect.as_str().into())
            .text("TimeAdded", |rule, now| {
                rule.spec.taint.time_added.as_ref().map(|time| since(Some(time.0), now)).unwrap_or_default().into()
            })
            .age()
    }
}

fn selector(errors: &mut Errors, path: &Path, selector: &DeviceTaintSelector) {
    if let Some(driver) = &selector.driver {
        device::driver(errors, &path.child("driver"), driver);
    }
    if let Some(pool) = &selector.pool {
        device::pool(errors, &path.child("pool"), pool);
    }
    if let Some(name) = &selector.device {
        device::name(errors, &path.child("device"), name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, prepared, update};

    #[test]
    fn a_rule_says_which_devices_and_what_of_them() {
        let rule = |effect: &str| json!({"metadata": {"name": "r"}, "spec": {"deviceSelector": {"driver": "gpu.example.com"}, "taint": {"key": "a", "effect": effect}}});
        assert_eq!(create::<DeviceTaintRules>(rule("NoSchedule")), "");
        assert!(create::<DeviceTaintRules>(rule("Maybe")).contains("spec.taint.effect: Unsupported value"));
        let made = prepared::<DeviceTaintRules>(rule("None"), None);
        assert_eq!(made["spec"]["taint"]["timeAdded"], "2026-01-02T03:04:05Z");
        assert_eq!(update::<DeviceTaintRules>(rule("None"), rule("NoExecute")), "");
    }
}
