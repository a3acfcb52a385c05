//! How upstream shows what changed of a value that must not change: both as indented JSON with the field names of
//! its internal types, and of those a unified diff (`k8s.io/apimachinery/pkg/util/diff`).

use serde_json::{Map, Value};

mod matching;

use matching::{Edit, grouped};

/// How a field of an internal type is printed. Those have no `omitempty`: what is absent prints as its zero value.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A bool.
    Flag,
    /// A pointer to a simple value, a list, a map, or a type whose JSON is the same inside and outside.
    Any,
    /// A type of the internal API, in place.
    Inline(Fields),
    /// The same behind a pointer.
    Pointer(Fields),
}

/// The fields of an internal type in order: its name there, its name in JSON, and how it is printed.
pub type Fields = &'static [(&'static str, &'static str, Form)];

/// The difference between two values of an internal type.
#[must_use]
pub fn internal(old: &Value, new: &Value, fields: Fields) -> String {
    values(&form(old, fields), &form(new, fields))
}

/// The difference between two values as they are shown.
#[must_use]
pub fn values(old: &Value, new: &Value) -> String {
    unified(&pretty(old), &pretty(new))
}

fn form(value: &Value, fields: Fields) -> Value {
    let entries = fields.iter().map(|(name, key, form)| {
        let inner = value.get(key).unwrap_or(&Value::Null);
        let shown = match (form, inner) {
            (Form::Inline(fields), _) => self::form(inner, fields),
            (Form::Text, Value::Null) => "".into(),
            (Form::Number, Value::Null) => 0.into(),
            (Form::Flag, Value::Null) => false.into(),
            (_, Value::Null) => Value::Null,
            (Form::Pointer(fields), _) => self::form(inner, fields),
            (Form::Text | Form::Number | Form::Flag | Form::Any, _) => inner.clone(),
        };
        ((*name).to_owned(), shown)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

fn pretty(value: &Value) -> Vec<String> {
    let mut bytes = Vec::new();
    let style = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, style);
    serde::Serialize::serialize(value, &mut writer).expect("a JSON value always serialises into memory");
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// With three lines around each change and no head.
fn unified(old: &[String], new: &[String]) -> String {
    let mut text = String::new();
    for group in grouped(old, new, 3) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (from, to) = (range(first.old.start, last.old.end), range(first.new.start, last.new.end));
        text.push_str(&format!("@@ -{from} +{to} @@\n"));
        for Edit { equal, old: gone, new: come } in group {
            let mut lines = |mark: char, lines: &[String]| {
                lines.iter().for_each(|line| text.push_str(&format!("{mark}{line}\n")));
            };
            if equal {
                lines(' ', &old[gone]);
            } else {
                lines('-', &old[gone]);
                lines('+', &new[come]);
            }
        }
    }
    text
}

fn range(start: usize, end: usize) -> String {
    match end - start {
        1 => (start + 1).to_string(),
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: Fields = &[
        ("Path", "path", Form::Text),
        ("Lun", "lun", Form::Number),
        ("ReadOnly", "readOnly", Form::Flag),
        ("Type", "type", Form::Any),
        ("SecretRef", "secretRef", Form::Pointer(&[("Name", "name", Form::Text)])),
        ("Limits", "limits", Form::Inline(&[("Most", "most", Form::Any)])),
    ];

    #[test]
    fn a_change_is_shown_with_three_lines_around_it() {
        let difference = internal(&json!({"path": "/a", "type": ""}), &json!({"path": "/b", "type": ""}), FIELDS);
        let shown = "@@ -1,5 +1,5 @@\n {\n- \"Path\": \"/a\",\n+ \"Path\": \"/b\",\n  \"Lun\": 0,\n  \"ReadOnly\": false,\n  \"Type\": \"\",\n";
        assert_eq!(difference, shown);
    }
}
