//! `ApplyConfiguration`: fields that are merged into the object by its schema. Nobody owns them afterwards.

use nakhoda_api::Object;
use nakhoda_api::apply::schema::Type;
use nakhoda_api::apply::{Schema, check, merge};
use serde_json::Value;

/// The object with a configuration laid over it. What is one value as a whole may not be set: that would take away
/// what the configuration does not speak of.
pub(super) fn apply(schema: &Schema, object: &Object, mut configuration: Value) -> Result<Object, String> {
    for field in ["apiVersion", "kind"] {
        configuration[field] = object.root().get(field).cloned().unwrap_or_default();
    }
    check(schema.root(), &configuration)
        .map_err(|why| format!("failed to convert patch object to typed object: {why}"))?;
    let mut wholes = Vec::new();
    find(schema.root(), &configuration, "", &mut wholes);
    if !wholes.is_empty() {
        let wholes = wholes.join(", ");
        return Err(format!("invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {wholes}"));
    }
    let merged = merge(schema.root(), &object.clone().into_value(), &configuration);
    Object::from_value(merged.unwrap_or_default()).map_err(|error| format!("failed to merge patch: {error}"))
}

/// The paths of all that is one value as a whole.
fn find(ty: Type<'_>, value: &Value, path: &str, wholes: &mut Vec<String>) {
    let atom = ty.resolve();
    match (value, atom.map, atom.list) {
        (Value::Object(entries), Some(map), _) => {
            if map.atomic {
                wholes.push(path.to_owned());
            }
            for (name, value) in entries {
                if let Some(ty) = map.field(name) {
                    find(ty, value, &format!("{path}.{name}"), wholes);
                }
            }
        }
        (Value::Array(items), _, Some(list)) => {
            if list.is_atomic() {
                wholes.push(path.to_owned());
            }
            for (index, item) in items.iter().enumerate() {
                find(list.element, item, &format!("{path}[{index}]"), wholes);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use nakhoda_api::GroupVersionKind;
    use serde_json::json;

    use super::*;

    fn applied(configuration: Value) -> Result<Value, String> {
        let gvk = GroupVersionKind::new("apps", "v1", "Deployment");
        let schema = Schema::of(&gvk).expect("a schema");
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "labels": {"x": "y"}},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}});
        let object = Object::from_value(object).expect("an object");
        apply(&schema, &object, configuration).map(Object::into_value)
    }

    #[test]
    fn fields_and_items_are_merged() {
        let item = json!({"name": "c", "workingDir": "/"});
        let made = applied(json!({"metadata": {"annotations": {"a": "b"}},
            "spec": {"replicas": 7, "template": {"spec": {"containers": [item]}}}}))
        .expect("merged");
        assert_eq!(made["metadata"], json!({"name": "a", "labels": {"x": "y"}, "annotations": {"a": "b"}}));
        assert_eq!(made["spec"]["replicas"], 7);
        let containers = &made["spec"]["template"]["spec"]["containers"];
        assert_eq!(*containers, json!([{"name": "c", "image": "i", "workingDir": "/"}]));
    }

    #[test]
    fn what_is_one_value_is_not_set() {
        let selector = json!({"spec": {"selector": {"matchLabels": {"a": "b"}}}});
        assert_eq!(
            applied(selector),
            Err("invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector".into())
        );
        let unknown = applied(json!({"spec": {"none": 1}})).expect_err("unknown");
        assert!(unknown.contains(".spec.none: field not declared in schema"), "{unknown}");
    }
}
