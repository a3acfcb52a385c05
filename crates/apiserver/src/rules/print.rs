//! Pieces of table cells.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{Container, PodTemplateSpec};
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::selector;

/// What is printed for nothing.
pub const NONE: &str = "<none>";

/// The text, or `<none>`.
#[must_use]
pub fn or_none(text: &str) -> String {
    if text.is_empty() { NONE.into() } else { text.into() }
}

/// `a=b,c=d`, or `<none>`.
#[must_use]
pub fn labels(labels: Option<&BTreeMap<String, String>>) -> String {
    let pairs: Vec<_> = labels.into_iter().flatten().map(|(k, v)| format!("{k}={v}")).collect();
    or_none(&pairs.join(","))
}

/// A selector's text, or `<none>`.
#[must_use]
pub fn selector(selector: &LabelSelector) -> String {
    selector::labels::from_typed(Some(selector)).map_or_else(|_| "<error>".into(), |s| or_none(&s.to_string()))
}

/// The containers of a template.
#[must_use]
pub fn containers(template: &PodTemplateSpec) -> &[Container] {
    template.spec.as_ref().map_or(&[], |spec| &spec.containers)
}

/// The names of containers.
#[must_use]
pub fn names(containers: &[Container]) -> String {
    containers.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(",")
}

/// The images of containers.
#[must_use]
pub fn images(containers: &[Container]) -> String {
    containers.iter().map(|c| c.image.as_deref().unwrap_or_default()).collect::<Vec<_>>().join(",")
}

/// The first three of a list, and how many more there are.
#[must_use]
pub fn first_three(items: &[String]) -> String {
    let shown = items.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(",");
    match items.len() {
        0..=3 => shown,
        n => format!("{shown} + {} more...", n - 3),
    }
}
