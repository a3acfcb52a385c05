//! Values as upstream's errors show them: by the Go names of its internal types, which have no JSON names and leave
//! nothing out.
//!
//! The internal types are taken to have the fields of the public ones, in their order; types of meta/v1 are the same
//! inside and outside.

use serde_json::{Map, Value, json};

use super::normalise_message;
use super::table::{Field, MessageId, Type, table};
use crate::GroupVersionKind;

/// First words of JSON names that Go writes in capitals, and how.
const WORDS: &[(&str, &str)] = &[
    ("api", "API"),
    ("aws", "AWS"),
    ("ca", "CA"),
    ("cel", "CEL"),
    ("cephfs", "CephFS"),
    ("csi", "CSI"),
    ("dns", "DNS"),
    ("fc", "FC"),
    ("fs", "FS"),
    ("gce", "GCE"),
    ("gmsa", "GMSA"),
    ("grpc", "GRPC"),
    ("http", "HTTP"),
    ("id", "ID"),
    ("ip", "IP"),
    ("ips", "IPs"),
    ("iscsi", "ISCSI"),
    ("json", "JSON"),
    ("nfs", "NFS"),
    ("os", "OS"),
    ("rbd", "RBD"),
    ("se", "SE"),
    ("tcp", "TCP"),
    ("tls", "TLS"),
    ("uid", "UID"),
    ("url", "URL"),
    ("wwids", "WWIDs"),
];

/// What is shown of the value at a path of an object; the value itself if nothing is known of it.
#[must_use]
pub fn shown(gvk: &GroupVersionKind, path: &str, value: &Value) -> Value {
    let Some(root) = super::message_for(gvk) else { return value.clone() };
    let path = if gvk.group == "events.k8s.io" { path.replace("involvedObject", "regarding") } else { path.to_owned() };
    if value.is_null() {
        return left_out(root, &path).unwrap_or(Value::Null);
    }
    // what is empty may stand for something else: a path, for example, that Go prints so
    if value.as_object().is_none_or(Map::is_empty) && !value.is_array() {
        return value.clone();
    }
    match at(root, &path) {
        // a fault of a field may show all that it is a field of
        Some(Type::String(_)) => {
            let whole = path.rsplit_once('.').and_then(|(parent, _)| at(root, parent));
            whole.map_or_else(|| value.clone(), |ty| print(&ty, value))
        }
        Some(ty) => print(&ty, value),
        None => value.clone(),
    }
}

/// A text that was left out is an empty one, unless it is behind a pointer.
fn left_out(root: MessageId, path: &str) -> Option<Value> {
    let (parent, name) = path
        .rsplit_once('.')
        .map_or((Type::Message(root), path), |(parent, name)| (at(root, parent).unwrap_or(Type::Bool), name));
    let Type::Message(id) = parent else { return None };
    let field = table().message(id).field(name)?;
    (matches!(field.ty, Type::String(_)) && !field.pointer).then(|| json!(""))
}

/// The type of the field at a path. Upstream tells of taints as if they stood in the metadata.
fn at(root: MessageId, path: &str) -> Option<Type> {
    let mut ty = Type::Message(root);
    let path = path
        .strip_prefix("metadata.")
        .filter(|rest| rest.starts_with("taints"))
        .map_or_else(|| path.to_owned(), |rest| format!("spec.{rest}"));
    for step in steps(&path) {
        ty = match (ty, step.strip_prefix('[')) {
            (Type::Message(id), None) => table().message(id).field(step)?.ty.clone(),
            (Type::List(item) | Type::Wrapped(item) | Type::Map(_, item), Some(_)) => *item,
            _ => return None,
        };
    }
    Some(ty)
}

/// `spec.ports[1]`: `spec`, `ports`, `[1`. What stands in brackets may hold dots.
fn steps(path: &str) -> Vec<&str> {
    let (mut steps, mut start, mut inside) = (Vec::new(), 0, false);
    for (index, c) in path.char_indices() {
        match c {
            '[' if !inside => {
                steps.push(&path[start..index]);
                (start, inside) = (index, true);
            }
            ']' if inside => {
                steps.push(&path[start..index]);
                (start, inside) = (index + 1, false);
            }
            '.' if !inside => {
                steps.push(&path[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    steps.push(&path[start..]);
    steps.retain(|step| !step.is_empty());
    steps
}

fn print(ty: &Type, value: &Value) -> Value {
    match (ty, value) {
        (Type::Message(id), Value::Object(map)) if table().message(*id).package == "meta/v1" => {
            let mut map = map.clone();
            normalise_message(*id, &mut map);
            Value::Object(map)
        }
        (Type::Message(id), Value::Object(map)) if knows(*id, map) => Value::Object(entries(*id, map)),
        (Type::List(item) | Type::Wrapped(item), Value::Array(items)) => items.iter().map(|v| print(item, v)).collect(),
        // as if the list stood where its items are told of
        (Type::Message(_), Value::Array(items)) => items.iter().map(|v| print(ty, v)).collect(),
        (Type::List(item), Value::Object(_)) => print(item, value),
        (Type::Map(_, item), Value::Object(map)) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), print(item, value))).collect())
        }
        _ => value.clone(),
    }
}

/// Whether the value is one of the public type: who puts together what an error shows may have made another.
fn knows(id: MessageId, map: &Map<String, Value>) -> bool {
    map.keys().all(|key| table().message(id).field(key).is_some())
}

fn entries(id: MessageId, map: &Map<String, Value>) -> Map<String, Value> {
    let fields = table().message(id).json.iter().map(|json| &json.field);
    let entry = |field: &Field| {
        let given = map.get(field.name).filter(|value| !value.is_null());
        (name(field.name), given.map_or_else(|| zero(field), |value| print(&field.ty, value)))
    };
    fields.map(entry).collect()
}

fn zero(field: &Field) -> Value {
    match &field.ty {
        _ if field.pointer => Value::Null,
        Type::Message(_) => print(&field.ty, &json!({})),
        Type::Bool => json!(false),
        Type::Int32(_) | Type::Int64(_) | Type::Float | Type::IntOrString => json!(0),
        Type::String(_) => json!(""),
        Type::Quantity => json!("0"),
        _ => Value::Null,
    }
}

/// The Go name of a field.
fn name(json: &str) -> String {
    let end = json.find(|c: char| c.is_ascii_uppercase()).unwrap_or(json.len());
    let (first, rest) = json.split_at(end);
    if let Some((_, word)) = WORDS.iter().find(|(word, _)| *word == first) {
        return format!("{word}{rest}");
    }
    let mut letters = first.chars();
    letters.next().map_or_else(String::new, |c| format!("{}{}{rest}", c.to_ascii_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_by_the_names_of_the_internal_types() {
        for (kind, path, value, wanted) in [
            (
                "Service",
                "spec.ports[1]",
                json!({"port": 80, "protocol": "TCP"}),
                r#"{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}"#,
            ),
            (
                "Node",
                "metadata.taints[0]",
                json!({"key": "a", "effect": "NoSchedule"}),
                r#"{"Key":"a","Value":"","Effect":"NoSchedule","TimeAdded":null}"#,
            ),
            (
                "Pod",
                "spec.securityContext.seccompProfile.localhostProfile",
                json!({"type": "", "localhostProfile": "x"}),
                r#"{"Type":"","LocalhostProfile":"x"}"#,
            ),
            ("Pod", "spec.hostname", Value::Null, r#""""#),
            ("Pod", "spec.runtimeClassName", Value::Null, "null"),
            ("Pod", "spec.nodeSelector", json!({"a.b/c": "d"}), r#"{"a.b/c":"d"}"#),
            ("Pod", "spec.hostAliases[0].ip", json!("x"), r#""x""#),
            ("Pod", "spec.nothing", json!({"a": 1}), r#"{"a":1}"#),
        ] {
            let gvk = GroupVersionKind::new("", "v1", kind);
            assert_eq!(shown(&gvk, path, &value).to_string(), wanted);
        }
    }

    #[test]
    fn names_are_those_of_go() {
        for (json, go) in [("podIP", "PodIP"), ("fsType", "FSType"), ("dnsPolicy", "DNSPolicy"), ("image", "Image")] {
            assert_eq!(name(json), go);
        }
    }

    #[test]
    fn what_stands_in_brackets_is_one_step() {
        assert_eq!(steps("a.b[c.d/e].f[0]"), ["a", "b", "[c.d/e", "f", "[0"]);
    }
}
