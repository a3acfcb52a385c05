//! Config maps, with what they hold.

use serde_json::Value;

use super::sheet::Sheet;
use super::values::{labels_and_annotations, scalar};
use crate::cluster::text;
use crate::{Cluster, Error};

/// Writes a config map.
pub async fn describe(sheet: &mut Sheet, _: &Cluster, object: &Value) -> Result<(), Error> {
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    labels_and_annotations(sheet, 0, &object["metadata"]);
    sheet.cut();
    sheet.line(0, "\nData\n====");
    for (key, value) in sorted(&object["data"]) {
        sheet.line(0, format!("{key}:\n----\n{}\n", scalar(value).replace('\t', "    ")));
    }
    sheet.line(0, "\nBinaryData\n====");
    for (key, value) in sorted(&object["binaryData"]) {
        sheet.line(0, format!("{key}: {} bytes", bytes(value)));
    }
    sheet.line(0, "");
    Ok(())
}

/// Fields by name.
pub(super) fn sorted(map: &Value) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = map.as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(key, _)| *key);
    fields
}

/// How many bytes a base64 text stands for.
pub(super) fn bytes(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()
}
