//! RuntimeClass: another way for a node to run containers, what it costs, and where it is.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{ResourceRequirements, Toleration};
use nakhoda_api::kinds::node::RuntimeClass;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{immutable, label, labels, list};
use crate::rules::defaults::quantities;
use crate::rules::pod::resources;
use crate::rules::pod::warnings::labels::deprecated;
use crate::rules::taint;

/// The kind.
pub struct RuntimeClasses;

impl Kind for RuntimeClasses {
    type Object = RuntimeClass;

    fn info() -> Info {
        Info {
            create_on_update: true,
            unconditional_update: false,
            ..Info::of::<RuntimeClass>("runtimeclasses", "runtimeclass", Scope::Cluster)
        }
    }

    fn default(class: &mut RuntimeClass) {
        if let Some(overhead) = &mut class.overhead {
            quantities(&mut overhead.pod_fixed);
        }
    }

    fn validate(_: &Cx, new: &RuntimeClass, old: Option<&RuntimeClass>, errors: &mut Errors) {
        let handler = Path::new("handler");
        match new.handler.as_str() {
            "" => errors.required(&handler, ""),
            name => label(errors, &handler, name),
        }
        if let Some(overhead) = &new.overhead {
            let limits = ResourceRequirements { limits: overhead.pod_fixed.clone(), ..Default::default() };
            resources::validate(errors, &Path::new("overhead"), &limits);
        }
        if let Some(scheduling) = &new.scheduling {
            let path = Path::new("scheduling");
            labels(errors, &path.child("nodeSelector"), scheduling.node_selector.as_ref());
            let at = path.child("tolerations");
            taint::tolerations(errors, &at, &scheduling.tolerations);
            unique(errors, &at, list(&scheduling.tolerations));
        }
        if let Some(old) = old {
            immutable(errors, &handler, &new.handler, &old.handler);
        }
    }

    fn warnings(new: &RuntimeClass, _: Option<&RuntimeClass>) -> Vec<String> {
        let selector = new.scheduling.as_ref().and_then(|s| s.node_selector.as_ref());
        let told = selector.into_iter().flatten().filter_map(|(label, _)| deprecated(label));
        told.map(|text| format!("scheduling.nodeSelector: {text}")).collect()
    }

    fn columns() -> Columns<RuntimeClass> {
        Columns::<RuntimeClass>::named().text("Handler", |c, _| c.handler.clone().into()).age()
    }
}

/// The seconds of a toleration do not make it another one.
fn unique(errors: &mut Errors, path: &Path, tolerations: &[Toleration]) {
    let key = |t: &Toleration| Toleration { toleration_seconds: None, ..t.clone() };
    for (i, one) in tolerations.iter().enumerate() {
        if tolerations[..i].iter().any(|other| key(other) == key(one)) {
            let (key, operator, value, effect) = (&one.key, &one.operator, &one.value, &one.effect);
            let text = |t: &Option<String>| t.clone().unwrap_or_default();
            let shown = serde_json::json!({
                "Key": text(key), "Operator": text(operator), "Value": text(value), "Effect": text(effect),
                "TolerationSeconds": one.toleration_seconds,
            });
            errors.duplicate(&path.index(i), shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, update};

    #[test]
    fn a_class_names_a_handler_and_keeps_it() {
        let class = |handler| json!({"metadata": {"name": "a"}, "handler": handler});
        assert_eq!(create::<RuntimeClasses>(class("")), "handler: Required value");
        assert_eq!(
            update::<RuntimeClasses>(class("a"), class("b")),
            "handler: Invalid value: \"b\": field is immutable"
        );
    }
}
