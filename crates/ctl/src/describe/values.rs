//! Values as descriptions print them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::sheet::Sheet;
use crate::cluster::{items, text};

/// Annotations that are not shown.
const HIDDEN: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotations that are longer get lines of their own.
const LONGEST: usize = 140;

/// A time in this machine's zone, `Mon, 02 Jan 2006 15:04:05 -0700`.
#[must_use]
pub fn time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(TimeZone::system()).strftime("%a, %d %b %Y %H:%M:%S %z").to_string(),
        Err(_) => "<unset>".into(),
    }
}

/// How long ago a time is.
#[must_use]
pub fn age(now: Timestamp, text: &str) -> String {
    nakhoda_api::time::since(text.parse().ok(), now)
}

/// A value, or `<none>`.
#[must_use]
pub fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

/// Any scalar as text.
#[must_use]
pub fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `key=value` of a map, by key.
#[must_use]
pub fn pairs(map: &Value) -> Vec<String> {
    let fields = map.as_object().into_iter().flatten();
    let mut pairs: Vec<String> = fields.map(|(key, value)| format!("{key}={}", scalar(value))).collect();
    pairs.sort();
    pairs
}

/// `metadata.labels` and `metadata.annotations`.
pub fn labels_and_annotations(sheet: &mut Sheet, level: usize, metadata: &Value) {
    sheet.many(level, "Labels", &pairs(&metadata["labels"]));
    annotations(sheet, level, &metadata["annotations"]);
}

/// Annotations by key; long ones on lines of their own.
pub fn annotations(sheet: &mut Sheet, level: usize, map: &Value) {
    let mut fields: Vec<(&String, String)> =
        map.as_object().into_iter().flatten().filter(|(key, _)| *key != HIDDEN).map(|(k, v)| (k, scalar(v))).collect();
    fields.sort();
    let mut lines = Vec::new();
    for (key, value) in fields {
        let value = value.trim_end_matches('\n');
        if key.len() + value.len() + 2 > LONGEST || value.contains('\n') {
            lines.push(format!("{key}:"));
            lines.extend(value.lines().map(|line| format!("  {}", shortened(line))));
        } else {
            lines.push(format!("{key}: {value}"));
        }
    }
    sheet.many(level, "Annotations", &lines);
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST - 2) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.into(),
    }
}

/// `Kind/name` of the owner that manages the object.
pub fn controller(sheet: &mut Sheet, object: &Value) {
    let owner = items(object, "/metadata/ownerReferences").find(|owner| owner["controller"] == true);
    if let Some(owner) = owner {
        sheet.field(0, "Controlled By", format!("{}/{}", text(owner, "/kind"), text(owner, "/name")));
    }
}

/// Conditions with their reasons.
pub fn conditions(sheet: &mut Sheet, object: &Value) {
    let mut conditions = items(object, "/status/conditions").peekable();
    if conditions.peek().is_none() {
        return;
    }
    sheet.line(0, "Conditions:");
    sheet.line(1, "Type\tStatus\tReason");
    sheet.line(1, "----\t------\t------");
    for condition in conditions {
        let field = |name| text(condition, name);
        sheet.line(1, format!("{} \t{}\t{}", field("/type"), field("/status"), field("/reason")));
    }
}

/// Tolerations by key.
#[must_use]
pub fn tolerations(list: &Value) -> Vec<String> {
    let mut all: Vec<&Value> = list.as_array().into_iter().flatten().collect();
    all.sort_by_key(|toleration| text(toleration, "/key"));
    all.into_iter().map(toleration).collect()
}

fn toleration(toleration: &Value) -> String {
    let (key, value, effect) = (text(toleration, "/key"), text(toleration, "/value"), text(toleration, "/effect"));
    let mut line = key.to_owned();
    if !value.is_empty() {
        line.push_str(&format!("={value}"));
    }
    if !effect.is_empty() {
        line.push_str(&format!(":{effect}"));
    }
    if toleration["operator"] == "Exists" && value.is_empty() {
        line.push_str(if key.is_empty() && effect.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(seconds) = toleration["tolerationSeconds"].as_i64() {
        line.push_str(&format!(" for {seconds}s"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tolerations_are_short() {
        let list = json!([
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"operator": "Exists"},
            {"key": "a", "value": "b", "effect": "NoSchedule"}]);
        assert_eq!(
            tolerations(&list),
            ["op=Exists", "a=b:NoSchedule", "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s"]
        );
    }

    #[test]
    fn what_was_applied_last_is_not_shown() {
        let mut sheet = Sheet::new(Timestamp::UNIX_EPOCH);
        annotations(&mut sheet, 0, &json!({HIDDEN: "x", "b": "1\n2", "a": "v"}));
        assert_eq!(sheet.text(), "Annotations:  a: v\n              b:\n                1\n                2\n");
    }
}
