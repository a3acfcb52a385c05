//! Secrets: how much they hold, not what.

use serde_json::Value;

use super::config_map::{bytes, sorted};
use super::sheet::Sheet;
use super::values::labels_and_annotations;
use crate::cluster::text;
use crate::{Cluster, Error};

/// Writes a secret.
pub async fn describe(sheet: &mut Sheet, _: &Cluster, object: &Value) -> Result<(), Error> {
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    labels_and_annotations(sheet, 0, &object["metadata"]);
    sheet.cut();
    sheet.line(0, "");
    sheet.field(0, "Type", text(object, "/type"));
    sheet.cut();
    sheet.line(0, "\nData\n====");
    for (key, value) in sorted(&object["data"]) {
        sheet.line(0, format!("{key}:\t{} bytes", bytes(value)));
    }
    Ok(())
}
