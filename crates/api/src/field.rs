//! Faults in the fields of an object: where, what, and the text clients compare
//! (`k8s.io/apimachinery/pkg/util/validation/field`).

use std::fmt;

use serde_json::Value;

use crate::status::Cause;

/// Where a field stands: `spec.containers[0].name`, `metadata.labels[a.b/c]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// Where.
    pub path: Path,
    /// What.
    pub fault: Fault,
    /// More words; may be empty.
    pub detail: String,
}

/// The kinds of faults upstream knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The field must be given.
    Required,
    /// The value is not allowed.
    Invalid(Value),
    /// The value is not allowed, and says nothing that the detail does not.
    Unfit,
    /// The value is none of those listed in the detail.
    NotSupported(Value),
    /// The value stands there twice.
    Duplicate(Value),
    /// What the value names is not there.
    NotFound(Value),
    /// The field must not be given here.
    Forbidden,
    /// The text is too long; the detail says how long it may be.
    TooLong,
    /// There are too many items (how many, if known).
    TooMany(Option<usize>),
    /// The value has the wrong type.
    TypeInvalid(Value),
    /// A fault of ours.
    Internal,
}

/// All faults of an object, in the order they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Errors(Vec<Error>);

// === impl Path ===

impl Path {
    /// A path that starts at a root field.
    pub fn new(root: impl Into<String>) -> Self {
        Self(root.into())
    }

    /// The path of a child field.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.into()) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// The path of a list item.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path of a map entry.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    /// The printed path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "<nil>" } else { &self.0 })
    }
}

// === impl Error ===

impl Error {
    /// As a cause in a [`crate::Status`].
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause { reason: self.fault.reason().into(), message: self.body(), field: self.path.to_string() }
    }

    /// The text without the path.
    #[must_use]
    pub fn body(&self) -> String {
        let what = match &self.fault {
            Fault::Required => "Required value".into(),
            Fault::Forbidden => "Forbidden".into(),
            Fault::TooLong => "Too long".into(),
            Fault::Internal => "Internal error".into(),
            Fault::Unfit => "Invalid value".into(),
            Fault::Invalid(v) => format!("Invalid value: {}", printed(v)),
            Fault::TypeInvalid(v) => format!("Invalid value: {}", printed(v)),
            Fault::NotSupported(v) => format!("Unsupported value: {}", printed(v)),
            Fault::Duplicate(v) => format!("Duplicate value: {}", printed(v)),
            Fault::NotFound(v) => format!("Not found: {}", printed(v)),
            Fault::TooMany(Some(n)) => format!("Too many: {n}"),
            Fault::TooMany(None) => "Too many".into(),
        };
        if self.detail.is_empty() { what } else { format!("{what}: {}", self.detail) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

impl Fault {
    const fn reason(&self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid(_) | Self::Unfit => "FieldValueInvalid",
            Self::NotSupported(_) => "FieldValueNotSupported",
            Self::Duplicate(_) => "FieldValueDuplicate",
            Self::NotFound(_) => "FieldValueNotFound",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany(_) => "FieldValueTooMany",
            Self::TypeInvalid(_) => "FieldValueTypeInvalid",
            Self::Internal => "InternalError",
        }
    }
}

/// Go prints a string with quotes, everything else as JSON.
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Whether Go takes a character for one that can be printed.
#[must_use]
pub fn is_print(c: char) -> bool {
    c == ' ' || !c.is_control() && !c.is_whitespace() && !c.escape_debug().to_string().starts_with("\\u")
}

/// A text in Go's quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_print(c) => out.push(c),
            c => {
                let code = u32::from(c);
                out.push_str(&match code {
                    0..=0x7f => format!("\\x{code:02x}"),
                    0x80..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                });
            }
        }
    }
    out.push('"');
    out
}

// === impl Errors ===

impl Errors {
    /// Adds a fault.
    pub fn push(&mut self, path: &Path, fault: Fault, detail: impl Into<String>) {
        self.0.push(Error { path: path.clone(), fault, detail: detail.into() });
    }

    /// `path: Required value: detail`.
    pub fn required(&mut self, path: &Path, detail: impl Into<String>) {
        self.push(path, Fault::Required, detail);
    }

    /// `path: Invalid value: "v": detail`.
    pub fn invalid(&mut self, path: &Path, value: impl Into<Value>, detail: impl Into<String>) {
        self.push(path, Fault::Invalid(value.into()), detail);
    }

    /// `path: Invalid value: detail`, for values that are not shown.
    pub fn unfit(&mut self, path: &Path, detail: impl Into<String>) {
        self.push(path, Fault::Unfit, detail);
    }

    /// `path: Unsupported value: "v": supported values: "a", "b"`.
    pub fn not_supported(&mut self, path: &Path, value: impl Into<Value>, supported: &[&str]) {
        let list = supported.iter().map(|s| format!("\"{s}\"")).collect::<Vec<_>>().join(", ");
        let detail = if list.is_empty() { String::new() } else { format!("supported values: {list}") };
        self.push(path, Fault::NotSupported(value.into()), detail);
    }

    /// `path: Duplicate value: "v"`.
    pub fn duplicate(&mut self, path: &Path, value: impl Into<Value>) {
        self.push(path, Fault::Duplicate(value.into()), "");
    }

    /// `path: Not found: "v"`.
    pub fn not_found(&mut self, path: &Path, value: impl Into<Value>) {
        self.push(path, Fault::NotFound(value.into()), "");
    }

    /// `path: Forbidden: detail`.
    pub fn forbidden(&mut self, path: &Path, detail: impl Into<String>) {
        self.push(path, Fault::Forbidden, detail);
    }

    /// `path: Too long: may not be more than N bytes`.
    pub fn too_long(&mut self, path: &Path, limit: usize) {
        self.push(path, Fault::TooLong, format!("may not be more than {limit} bytes"));
    }

    /// `path: Too many: N: must have at most M items`.
    pub fn too_many(&mut self, path: &Path, count: usize, limit: usize) {
        self.push(path, Fault::TooMany(Some(count)), format!("must have at most {limit} items"));
    }

    /// Shows values otherwise.
    pub fn restate(&mut self, show: impl Fn(&Path, &Value) -> Value) {
        for error in &mut self.0 {
            match &mut error.fault {
                Fault::Invalid(value)
                | Fault::NotSupported(value)
                | Fault::Duplicate(value)
                | Fault::NotFound(value)
                | Fault::TypeInvalid(value) => *value = show(&error.path, value),
                Fault::Required
                | Fault::Unfit
                | Fault::Forbidden
                | Fault::TooLong
                | Fault::TooMany(_)
                | Fault::Internal => {}
            }
        }
    }

    /// All faults in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Error> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts them into the order of their texts.
    pub fn sort(&mut self) {
        self.0.sort_by_cached_key(ToString::to_string);
    }

    /// Takes the faults of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl fmt::Display for Errors {
    /// One fault stands alone; several stand in brackets, told once each, as `ToAggregate` prints them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts: Vec<String> = Vec::with_capacity(self.0.len());
        for error in &self.0 {
            let text = error.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        match texts.as_slice() {
            [] => Ok(()),
            [one] => f.write_str(one),
            many => write!(f, "[{}]", many.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_in_gos_quotes() {
        for (text, shown) in [
            ("a b", r#""a b""#),
            ("\"\\\n", r#""\"\\\n""#),
            ("\0\u{7f}", r#""\x00\x7f""#),
            ("é\u{200b}", r#""é\u200b""#),
            ("\u{1f600}", "\"\u{1f600}\""),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }

    #[test]
    fn texts_are_those_of_upstream() {
        let spec = Path::new("spec");
        let mut errors = Errors::default();
        errors.required(&spec.child("containers"), "");
        assert_eq!(errors.to_string(), "spec.containers: Required value");
        errors.not_supported(&spec.child("containers").index(0).child("imagePullPolicy"), "x", &["Always", "Never"]);
        assert_eq!(
            errors.to_string(),
            "[spec.containers: Required value, spec.containers[0].imagePullPolicy: Unsupported value: \"x\": supported values: \"Always\", \"Never\"]"
        );
    }
}
