//! Dropping what no schema names, and telling what that was.

use serde_json::Value;

use super::{META, Schema};

/// Where the walk is, and what it dropped so far.
struct Walk {
    path: String,
    dropped: Vec<String>,
}

/// Drops the fields of an object that its schema does not name, and tells their paths in order. The metadata of the
/// object is another's business.
pub fn prune(object: &mut Value, schema: &Schema) -> Vec<String> {
    let mut walk = Walk { path: String::new(), dropped: Vec::new() };
    walk.value(object, Some(schema), true);
    walk.dropped.sort_unstable();
    walk.dropped
}

/// The same for a value within an object; at its root there is metadata only if the schema says so.
pub fn prune_value(value: &mut Value, schema: &Schema) -> Vec<String> {
    let mut walk = Walk { path: String::new(), dropped: Vec::new() };
    walk.value(value, Some(schema), schema.embedded);
    walk.dropped
}

// === impl Walk ===

impl Walk {
    fn value(&mut self, value: &mut Value, schema: Option<&Schema>, embedded: bool) {
        match value {
            Value::Object(map) => {
                let keeps = schema.is_some_and(Schema::preserves);
                let mut gone = Vec::new();
                for (key, value) in map.iter_mut() {
                    if embedded && META.contains(&key.as_str()) {
                        continue;
                    }
                    match child(schema, key) {
                        Some(below) => self.at(&format!(".{key}"), |walk| {
                            walk.value(value, below, below.is_some_and(|schema| schema.embedded));
                        }),
                        None if keeps => {}
                        None => gone.push(key.clone()),
                    }
                }
                for key in gone {
                    map.shift_remove(&key);
                    self.tell(&key);
                }
            }
            Value::Array(items) => {
                let below = schema.and_then(Schema::item);
                // what is under a schema that keeps all is kept, list or not
                if below.is_none() && schema.is_some_and(Schema::preserves) {
                    return;
                }
                for (index, item) in items.iter_mut().enumerate() {
                    self.at(&format!("[{index}]"), |walk| {
                        walk.value(item, below, below.is_some_and(|schema| schema.embedded));
                    });
                }
            }
            _ => {}
        }
    }

    fn at(&mut self, step: &str, walk: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        walk(self);
        self.path.truncate(length);
    }

    fn tell(&mut self, key: &str) {
        self.dropped.push(format!("{}.{key}", self.path).trim_start_matches('.').to_owned());
    }
}

/// The schema of a field: `Some(None)` if the field may be there and nothing is said of what is in it.
fn child<'a>(schema: Option<&'a Schema>, key: &str) -> Option<Option<&'a Schema>> {
    let schema = schema?;
    match schema.properties.get(key) {
        Some(property) => Some(Some(property)),
        None => schema.additional_properties.as_ref().map(|_| schema.value()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(value: Value) -> Schema {
        Schema::parse(&value).expect("a schema")
    }

    #[test]
    fn what_no_schema_names_goes_and_is_told() {
        let schema = schema(json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "a": {"type": "string"},
                "free": {"x-kubernetes-preserve-unknown-fields": true, "properties": {"b": {"type": "object"}}},
                "map": {"additionalProperties": {"type": "object", "properties": {"c": {"type": "string"}}}},
                "list": {"items": {"type": "object", "properties": {"d": {"type": "string"}}}},
            }},
        }}));
        let mut object = json!({
            "apiVersion": "e/v1", "kind": "K", "metadata": {"name": "x"}, "top": 1,
            "spec": {"a": "", "x": 1, "free": {"y": {"z": 1}, "b": {"e": 1}}, "map": {"k": {"c": "", "f": 1}},
                "list": [{"d": "", "g": 1}]},
        });
        let dropped = prune(&mut object, &schema);
        assert_eq!(dropped, ["spec.free.b.e", "spec.list[0].g", "spec.map.k.f", "spec.x", "top"]);
        let expected = json!({"a": "", "free": {"y": {"z": 1}, "b": {}}, "map": {"k": {"c": ""}}, "list": [{"d": ""}]});
        assert_eq!(object["spec"], expected);
        assert_eq!(object["metadata"]["name"], "x");
    }
}
