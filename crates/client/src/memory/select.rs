//! Selectors over what is stored.

use nakhoda_api::selector::{FieldSelector, LabelSelector};
use nakhoda_rpc::v1;
use serde_json::Value;

use crate::error::Result;

/// A selection, parsed once. Any field of an object may be selected by its path.
pub(super) struct Selector {
    labels: LabelSelector,
    fields: FieldSelector,
}

// === impl Selector ===

impl Selector {
    pub(super) fn parse(selection: Option<&v1::Selection>) -> Result<Self> {
        let bad = |e: nakhoda_api::selector::SelectorError| nakhoda_api::Status::bad_request(e.to_string());
        let (labels, fields) = selection.map_or(("", ""), |s| (s.labels.as_str(), s.fields.as_str()));
        Ok(Self {
            labels: LabelSelector::parse(labels).map_err(bad)?,
            fields: FieldSelector::parse(fields).map_err(bad)?,
        })
    }

    /// Whether an object is selected.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels: Vec<(&str, &str)> = object["metadata"]["labels"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| v.as_str().map(|v| (k.as_str(), v)))
            .collect();
        let fields: Vec<(&str, &str)> =
            self.fields.terms().iter().map(|term| (term.field.as_str(), at(object, &term.field))).collect();
        self.labels.matches(&labels) && self.fields.matches(&fields)
    }
}

fn at<'a>(object: &'a Value, path: &str) -> &'a str {
    path.split('.').fold(object, |value, key| &value[key]).as_str().unwrap_or_default()
}
