//! Selectors, equality only.

use nakhoda_rpc::v1;
use serde_json::Value;

/// Whether an object is selected.
pub(super) fn matches(object: &Value, selection: &v1::Selection) -> bool {
    let label = |name: &str| object["metadata"]["labels"][name].as_str().unwrap_or_default();
    let field = |path: &str| path.split('.').fold(object, |v, key| &v[key]).as_str().unwrap_or_default();
    all(&selection.labels, label) && all(&selection.fields, field)
}

fn all<'a>(selector: &str, value: impl Fn(&str) -> &'a str) -> bool {
    selector.split(',').filter(|term| !term.is_empty()).all(|term| match term.split_once("!=") {
        Some((name, other)) => value(name) != other,
        None => term.split_once('=').is_some_and(|(name, wanted)| value(name) == wanted.trim_start_matches('=')),
    })
}
