//! What versions have in common, and the schema of each.

use nakhoda_api::kinds::apiextensions::CustomResourceDefinitionVersion as Version;
use nakhoda_api::structural::Schema;
use serde_json::{Value, json};

/// Whether a part is the same in all versions, so that upstream keeps it once.
pub(super) fn shared<T: PartialEq>(versions: &[Version], part: impl Fn(&Version) -> T) -> bool {
    versions.windows(2).all(|pair| part(&pair[0]) == part(&pair[1]))
}

/// The schema of a version's objects.
#[must_use]
pub fn schema(version: &Version) -> Option<Schema> {
    let props = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
    let value = serde_json::to_value(props).ok()?;
    Schema::parse(&value).ok()
}

/// The versions as Go prints those of its internal type, without what they have in common.
pub(super) fn printed(versions: &[Version]) -> Value {
    let printed = versions.iter().map(|version| {
        json!({
            "Name": version.name,
            "Served": version.served,
            "Storage": version.storage,
            "Deprecated": version.deprecated.unwrap_or(false),
            "DeprecationWarning": version.deprecation_warning,
            "Schema": null,
            "Subresources": null,
            "AdditionalPrinterColumns": null,
            "SelectableFields": null,
        })
    });
    printed.collect()
}
