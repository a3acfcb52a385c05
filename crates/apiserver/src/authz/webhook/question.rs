//! How a webhook is asked: the SubjectAccessReview, and `request` in its conditions.

use std::sync::LazyLock;

use nakhoda_api::cel::{Type, Variables};
use nakhoda_api::selector::fields::Term;
use nakhoda_api::selector::labels::{Operator, Requirement};
use nakhoda_api::selector::{FieldSelector, LabelSelector};
use nakhoda_api::structural::Schema;
use serde_json::{Map, Value, json};

use crate::authz::Attributes;
use crate::request::Target;

/// The texts of `resourceAttributes`.
const TEXTS: [&str; 7] = ["namespace", "verb", "group", "version", "resource", "subresource", "name"];

/// The type of `request` (SubjectAccessReviewSpec).
static REQUEST: LazyLock<Schema> = LazyLock::new(|| {
    let (text, texts) = (json!({"type": "string"}), json!({"type": "array", "items": {"type": "string"}}));
    let object = |fields: Value| json!({"type": "object", "properties": fields});
    let requirement = object(json!({"key": text, "operator": text, "values": texts}));
    let selector = object(json!({"rawSelector": text, "requirements": {"type": "array", "items": requirement}}));
    let mut resource: Map<String, Value> = TEXTS.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    resource.insert("fieldSelector".into(), selector.clone());
    resource.insert("labelSelector".into(), selector);
    let spec = object(json!({
        "resourceAttributes": object(resource.into()),
        "nonResourceAttributes": object(json!({"path": text, "verb": text})),
        "user": text, "uid": text, "groups": texts,
        "extra": {"type": "object", "additionalProperties": texts},
    }));
    serde_json::from_value(spec).expect("a schema")
});

/// What a condition may name.
#[must_use]
pub fn variables() -> Variables<'static> {
    [("request".to_owned(), Type::of(&REQUEST, false))].into()
}

/// The question as a spec; what is empty is left out.
#[must_use]
pub fn spec(asked: &Attributes) -> Value {
    let mut spec = Map::new();
    match &asked.target {
        Target::Path(path) => {
            let path = [("path", path.as_str()), ("verb", &asked.verb)];
            spec.insert("nonResourceAttributes".into(), given(path).into());
        }
        Target::Resource(target) => {
            let gvr = &target.gvr;
            let values = [
                &target.namespace,
                &asked.verb,
                &gvr.group,
                &gvr.version,
                &gvr.resource,
                &target.subresource,
                &target.name,
            ];
            let mut resource = given(TEXTS.into_iter().zip(values.map(String::as_str)));
            for (name, terms) in [("fieldSelector", fields(&asked.fields)), ("labelSelector", labels(&asked.labels))] {
                if !terms.is_empty() {
                    resource.insert(name.into(), json!({"requirements": terms}));
                }
            }
            spec.insert("resourceAttributes".into(), resource.into());
        }
    }
    let user = &asked.user;
    spec.extend(given([("user", user.name.as_str()), ("uid", &user.uid)]));
    if !user.groups.is_empty() {
        spec.insert("groups".into(), json!(user.groups));
    }
    if !user.extra.is_empty() {
        spec.insert("extra".into(), json!(user.extra));
    }
    spec.into()
}

/// The whole review. In `v1beta1` the groups have another name.
#[must_use]
pub fn review(mut spec: Value, beta: bool) -> Value {
    if let Some(groups) = spec.as_object_mut().filter(|_| beta).and_then(|spec| spec.remove("groups")) {
        spec["group"] = groups;
    }
    let version = if beta { "authorization.k8s.io/v1beta1" } else { "authorization.k8s.io/v1" };
    json!({"kind": "SubjectAccessReview", "apiVersion": version, "metadata": {}, "spec": spec,
        "status": {"allowed": false}})
}

/// The spec as conditions see it: with the texts and lists that are empty.
#[must_use]
pub fn variable(spec: &Value) -> Value {
    let mut seen = json!({"user": "", "uid": "", "groups": [], "extra": {}});
    for (name, value) in spec.as_object().into_iter().flatten() {
        seen[name] = value.clone();
    }
    if let Some(resource) = seen.get_mut("resourceAttributes").and_then(Value::as_object_mut) {
        for name in TEXTS {
            resource.entry(name).or_insert_with(|| "".into());
        }
    }
    seen
}

fn given<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key.into(), value.into())).collect()
}

/// The terms of a field selector.
fn fields(selector: &FieldSelector) -> Vec<Value> {
    let operator = |term: &Term| if term.equal { "In" } else { "NotIn" };
    let term = |term: &Term| json!({"key": term.field, "operator": operator(term), "values": [term.value]});
    selector.terms().iter().map(term).collect()
}

/// Those of a label selector that a review can say; without the others it asks for more.
fn labels(selector: &LabelSelector) -> Vec<Value> {
    let term = |requirement: &Requirement| {
        let operator = match requirement.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => "In",
            Operator::NotIn | Operator::NotEquals => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            Operator::GreaterThan | Operator::LessThan => return None,
        };
        let mut term = json!({"key": requirement.key, "operator": operator});
        if !requirement.values.is_empty() {
            term["values"] = json!(requirement.values);
        }
        Some(term)
    };
    selector.requirements().iter().filter_map(term).collect()
}
