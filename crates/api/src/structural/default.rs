//! Filling in what was left out.

use serde_json::Value;

use super::Schema;

/// Drops nulls where none may stand and no default takes their place, then fills in the defaults.
pub fn fill(value: &mut Value, schema: &Schema) {
    drop_nulls(value, schema);
    defaults(value, schema);
}

/// Drops nulls where none may stand and no default takes their place.
pub fn drop_nulls(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                let Some(below) = below(schema, key) else { return true };
                if value.is_null() && !below.nullable && below.default.is_none() {
                    return false;
                }
                drop_nulls(value, below);
                true
            });
        }
        Value::Array(items) => {
            if let Some(below) = schema.item() {
                items.iter_mut().for_each(|item| drop_nulls(item, below));
            }
        }
        _ => {}
    }
}

/// Fills in the defaults, also in the place of nulls that may not stand there.
pub fn defaults(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            for (key, property) in &schema.properties {
                let Some(default) = &property.default else { continue };
                if map.get(key).is_none_or(|value| value.is_null() && !property.nullable) {
                    map.insert(key.clone(), default.clone());
                }
            }
            for (key, value) in map.iter_mut() {
                if let Some(below) = below(schema, key) {
                    replace_null(value, below);
                    defaults(value, below);
                }
            }
        }
        Value::Array(items) => {
            let Some(below) = schema.item() else { return };
            for item in items {
                replace_null(item, below);
                defaults(item, below);
            }
        }
        _ => {}
    }
}

fn replace_null(value: &mut Value, schema: &Schema) {
    if let Some(default) = schema.default.as_ref().filter(|_| value.is_null() && !schema.nullable) {
        *value = default.clone();
    }
}

fn below<'a>(schema: &'a Schema, key: &str) -> Option<&'a Schema> {
    schema.properties.get(key).or_else(|| schema.value())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_stand_where_nothing_or_a_forbidden_null_stood() {
        let schema = Schema::parse(&json!({"properties": {
            "a": {"type": "string", "default": "A"},
            "b": {"type": "object", "default": {}, "properties": {"c": {"type": "integer", "default": 1}}},
            "n": {"type": "string", "nullable": true, "default": "N"},
            "gone": {"type": "string"},
            "list": {"items": {"properties": {"d": {"default": 2}}}},
        }}));
        let mut value = json!({"a": null, "n": null, "gone": null, "list": [{}], "other": null});
        fill(&mut value, &schema.expect("a schema"));
        let expected = json!({"a": "A", "b": {"c": 1}, "n": null, "list": [{"d": 2}], "other": null});
        assert_eq!(value, expected);
    }
}
