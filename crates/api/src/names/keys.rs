//! Keys and values: labels, annotations, data of ConfigMaps, environment variables, HTTP headers.

use super::charset::is_key;
use super::{LABEL_MAX, SUBDOMAIN_MAX, pattern, subdomain, too_long};

const KEY_RE: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_TEXT: &str =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_EXAMPLES: &[&str] = &["MyName", "my.name", "123-abc"];

/// Label rules count bytes in words where name rules count characters.
fn too_many_bytes(limit: usize) -> String {
    format!("must be no more than {limit} bytes")
}

/// A label key: a name with an optional subdomain and slash before it.
#[must_use]
pub fn is_qualified_name(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut parts = value.split('/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) => {
            if prefix.is_empty() {
                faults.push("prefix part must be non-empty".into());
            } else {
                faults.extend(subdomain(prefix, too_many_bytes).into_iter().map(|t| format!("prefix part {t}")));
            }
            name
        }
        _ => {
            let text = pattern(KEY_TEXT, KEY_RE, KEY_EXAMPLES);
            let more = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {text} {more}")];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".into());
    } else if name.len() > LABEL_MAX {
        faults.push(format!("name part {}", too_many_bytes(LABEL_MAX)));
    }
    if !is_key(name) {
        faults.push(format!("name part {}", pattern(KEY_TEXT, KEY_RE, KEY_EXAMPLES)));
    }
    faults
}

/// An annotation key: a label key whose case does not matter.
#[must_use]
pub fn is_annotation_key(value: &str) -> Vec<String> {
    is_qualified_name(&value.to_lowercase())
}

/// The value of a label; may be empty.
#[must_use]
pub fn is_label_value(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > LABEL_MAX {
        faults.push(too_many_bytes(LABEL_MAX));
    }
    if !value.is_empty() && !is_key(value) {
        let what = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
        faults.push(pattern(what, &format!("({KEY_RE})?"), &["MyValue", "my_value", "12345"]));
    }
    faults
}

/// A key of a ConfigMap's or a Secret's data: it becomes a file's name.
#[must_use]
pub fn is_config_map_key(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        faults.push(too_long(SUBDOMAIN_MAX));
    }
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        let what = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
        faults.push(pattern(what, "[-._a-zA-Z0-9]+", &["key.name", "KEY_NAME", "key-name"]));
    }
    faults.extend(parent_directory(value));
    faults
}

fn parent_directory(value: &str) -> Option<String> {
    match value {
        "." | ".." => Some(format!("must not be '{value}'")),
        _ if value.starts_with("..") => Some("must not start with '..'".into()),
        _ => None,
    }
}

/// The strict rule of environment variables' names, which kubectl still applies.
#[must_use]
pub fn is_env_var_name(value: &str) -> Vec<String> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let fits = value.bytes().all(inner) && value.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    let mut faults = Vec::new();
    if !fits {
        let what = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
        faults.push(pattern(what, "[-._a-zA-Z][-._a-zA-Z0-9]*", &["my.env-name", "MY_ENV.NAME", "MyEnvName1"]));
    }
    faults.extend(parent_directory(value));
    faults
}

/// What the server accepts as an environment variable's name.
#[must_use]
pub fn is_relaxed_env_var_name(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["environment variable name must be non-empty".into()];
    }
    if value.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=') {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".into()]
}

/// The name of an HTTP header.
#[must_use]
pub fn is_http_header_name(value: &str) -> Vec<String> {
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    let what = "a valid HTTP header must consist of alphanumeric characters or '-'";
    vec![pattern(what, "[-A-Za-z0-9]+", &["X-Header-Name"])]
}

/// An identifier of the language C.
#[must_use]
pub fn is_c_identifier(value: &str) -> Vec<String> {
    let inner = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if inner && value.bytes().next().is_some_and(|b| !b.is_ascii_digit()) {
        return Vec::new();
    }
    let what = "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
    vec![pattern(what, "[A-Za-z_][A-Za-z0-9_]*", &["my_name", "MY_NAME", "MyName"])]
}
