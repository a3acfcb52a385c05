//! The parameters that a binding hands to its policy.

use nakhoda_api::Scope;
use serde_json::Value;

use super::spec::{BindingSpec, ParamRef, PolicySpec};
use crate::admission::Attributes;
use crate::admission::webhook::matching;
use crate::kind::Served;

/// The objects; one null if the policy or the binding wants none.
pub fn of(policy: &PolicySpec, binding: &BindingSpec, attributes: &Attributes<'_>) -> Result<Vec<Value>, String> {
    let (Some(kind), Some(reference)) = (&policy.param_kind, &binding.param_ref) else {
        return Ok(vec![Value::Null]);
    };
    let kinds = attributes.call.pipeline.kinds();
    let served = kind.gvk().and_then(|gvk| kinds.by_kind(&gvk));
    let served =
        served.ok_or_else(|| format!("paramKind kind `{}, Kind={}` not known", kind.api_version, kind.kind))?;
    let namespace = namespace(&served, reference, attributes)?;
    let found = found(&served, namespace, reference, attributes);
    if found.is_empty() && reference.parameter_not_found_action == "Deny" {
        return Err("no params found for policy binding with `Deny` parameterNotFoundAction".into());
    }
    Ok(found)
}

/// Where they are; empty for kinds that are in no namespace.
fn namespace<'a>(
    served: &Served,
    reference: &'a ParamRef,
    attributes: &'a Attributes<'_>,
) -> Result<&'a str, &'static str> {
    match (served.info.scope, reference.namespace.as_str(), attributes.call.namespace()) {
        (Scope::Cluster, "", _) => Ok(""),
        (Scope::Cluster, ..) => Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`"),
        (Scope::Namespaced, "", "") => {
            Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
        }
        (Scope::Namespaced, "", namespace) | (Scope::Namespaced, namespace, _) => Ok(namespace),
    }
}

fn found(served: &Served, namespace: &str, reference: &ParamRef, attributes: &Attributes<'_>) -> Vec<Value> {
    let all = attributes.call.pipeline.storage().cache(&served.info).snapshot();
    let read = |json: &[u8]| serde_json::from_slice::<Value>(json).ok();
    match reference.name.as_str() {
        "" => all
            .walk(Some(namespace).filter(|namespace| !namespace.is_empty()), None)
            .filter(|item| matching::selects_item(reference.selector.as_ref(), item))
            .filter_map(|item| read(item.json()))
            .collect(),
        name => {
            let item = all.get(&crate::storage::relative(namespace, name));
            item.and_then(|item| read(item.json())).into_iter().collect()
        }
    }
}
