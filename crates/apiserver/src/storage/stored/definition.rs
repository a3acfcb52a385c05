//! CustomResourceDefinitions as `v1beta1` has them, which is how upstream stores them to this day: what all versions
//! share stands once, beside them.

use serde_json::{Map, Value, json};

/// The `v1` form of a `v1beta1` definition, in place.
pub(super) fn convert(definition: &mut Map<String, Value>) {
    let Some(Value::Object(spec)) = definition.get_mut("spec") else { return };
    let shared = [
        ("validation", "schema"),
        ("subresources", "subresources"),
        ("additionalPrinterColumns", "additionalPrinterColumns"),
        ("selectableFields", "selectableFields"),
    ];
    let shared: Vec<_> = shared.iter().filter_map(|(old, new)| Some((*new, spec.shift_remove(*old)?))).collect();
    let only = spec.shift_remove("version");
    if spec.get("versions").and_then(Value::as_array).is_none_or(Vec::is_empty)
        && let Some(name) = only
    {
        spec.insert("versions".into(), json!([{"name": name, "served": true, "storage": true}]));
    }
    for version in spec.get_mut("versions").and_then(Value::as_array_mut).into_iter().flatten() {
        let Value::Object(version) = version else { continue };
        version.extend(shared.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        for column in version.get_mut("additionalPrinterColumns").and_then(Value::as_array_mut).into_iter().flatten() {
            rename(column, "JSONPath", "jsonPath");
        }
    }
    if spec.get("preserveUnknownFields") == Some(&Value::Bool(false)) {
        spec.shift_remove("preserveUnknownFields");
    }
    if let Some(Value::Object(conversion)) = spec.get_mut("conversion") {
        let client = conversion.shift_remove("webhookClientConfig");
        let versions = conversion.shift_remove("conversionReviewVersions");
        if client.is_some() || versions.is_some() {
            let webhook = [("clientConfig", client), ("conversionReviewVersions", versions)];
            let webhook = webhook.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            conversion.insert("webhook".into(), Value::Object(webhook.collect()));
        }
    }
}

fn rename(value: &mut Value, old: &str, new: &str) {
    if let Value::Object(object) = value
        && let Some(moved) = object.shift_remove(old)
    {
        object.insert(new.into(), moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_versions_share_moves_into_each() {
        let mut old = json!({"spec": {
            "version": "v1", "validation": {"openAPIV3Schema": {"type": "object"}}, "preserveUnknownFields": false,
            "additionalPrinterColumns": [{"name": "A", "type": "string", "JSONPath": ".a"}],
            "conversion": {"strategy": "Webhook", "webhookClientConfig": {"url": "u"}, "conversionReviewVersions": ["v1"]}
        }});
        convert(old.as_object_mut().expect("an object"));
        let new = json!({"spec": {
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".a"}]
            }],
            "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "u"}, "conversionReviewVersions": ["v1"]}}
        }});
        assert_eq!(old, new);
    }
}
