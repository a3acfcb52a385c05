//! PriorityClass: how much pods matter. Its value never changes.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::scheduling::PriorityClass;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{immutable, text};
use crate::rules::defaults::fill_absent;
use crate::rules::pod::scheduling::preemption_policy;

/// The kind.
pub struct PriorityClasses;

/// The highest value that users may give.
const HIGHEST: i32 = 1_000_000_000;
/// Classes that the cluster itself has.
const SYSTEM: &[(&str, i32)] = &[("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

impl Kind for PriorityClasses {
    type Object = PriorityClass;

    fn info() -> Info {
        Info {
            short: &["pc"],
            ..Info::of::<PriorityClass>("priorityclasses", "priorityclass", Scope::Cluster)
        }
    }

    fn default(class: &mut PriorityClass) {
        fill_absent(&mut class.preemption_policy, "PreemptLowerPriority");
    }

    /// Upstream counts no change of a class: the generation is always the first.
    fn prepare(_: &Cx, new: &mut PriorityClass, old: Option<&PriorityClass>) {
        if old.is_none() {
            new.metadata.generation = Some(1);
        }
    }

    fn validate(_: &Cx, new: &PriorityClass, old: Option<&PriorityClass>, errors: &mut Errors) {
        if let Some(old) = old {
            if new.value.unwrap_or(0) != old.value.unwrap_or(0) {
                errors.forbidden(&Path::new("value"), "may not be changed in an update.");
            }
            return immutable(errors, &Path::new("preemptionPolicy"), &new.preemption_policy, &old.preemption_policy);
        }
        let (name, value) = (text(&new.metadata.name), new.value.unwrap_or(0));
        if name.starts_with("system-") {
            if let Err(why) = known(name, value, new.global_default == Some(true)) {
                let rule = "priority class names with 'system-' prefix are reserved for system use only. error";
                errors.forbidden(&Path::new("metadata.name"), format!("{rule}: {why}"));
            }
        } else if value > HIGHEST {
            let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
            errors.forbidden(&Path::new("value"), why);
        }
        preemption_policy(errors, &Path::new("preemptionPolicy"), &new.preemption_policy);
    }

    fn columns() -> Columns<PriorityClass> {
        Columns::<PriorityClass>::named()
            .number("Value", |c, _| c.value.unwrap_or(0).into())
            .add("Global-Default", "boolean", 0, |c, _| c.global_default.unwrap_or(false).into())
            .age()
            .text("PreemptionPolicy", |c, _| text(&c.preemption_policy).into())
    }
}

fn known(name: &str, value: i32, global: bool) -> Result<(), String> {
    let Some((_, wanted)) = SYSTEM.iter().find(|(n, _)| *n == name) else {
        return Err(format!("{name} is not a known system priority class"));
    };
    if value != *wanted {
        return Err(format!("value of {name} PriorityClass must be {wanted}"));
    }
    if global { Err(format!("globalDefault of {name} PriorityClass must be false")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, update};

    #[test]
    fn values_are_bounded_and_stay() {
        assert_eq!(
            create::<PriorityClasses>(json!({"metadata": {"name": "a"}, "value": 1_000_000_001})),
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
        );
        assert_eq!(
            create::<PriorityClasses>(json!({"metadata": {"name": "system-a"}})),
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-a is not a known system priority class"
        );
        assert_eq!(
            update::<PriorityClasses>(json!({"value": 1}), json!({"value": 2})),
            "value: Forbidden: may not be changed in an update."
        );
    }

    #[test]
    fn the_policy_is_defaulted_and_shown() {
        let class = defaulted::<PriorityClasses>(json!({"metadata": {"name": "a"}, "value": 5}));
        assert_eq!(
            row::<PriorityClasses>(class),
            [json!("a"), json!(5), json!(false), json!("<unknown>"), json!("PreemptLowerPriority")]
        );
    }
}
