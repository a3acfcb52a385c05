//! Daemon sets, with the number of their pods.

use serde_json::Value;

use super::replica_set::{counts, owned};
use super::sheet::Sheet;
use super::template;
use super::values::{labels_and_annotations, or_none, pairs};
use crate::cluster::text;
use crate::{Cluster, Error, pods};

/// Writes a daemon set.
pub async fn describe(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    sheet.field(0, "Selector", pods::selector(object).unwrap_or_default());
    let selector = pairs(&object["spec"]["template"]["spec"]["nodeSelector"]).join(",");
    sheet.field(0, "Node-Selector", or_none(&selector));
    labels_and_annotations(sheet, 0, &object["metadata"]);
    let counted = [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ];
    for (label, field) in counted {
        sheet.line(0, format!("{label}: {}", object["status"][field].as_u64().unwrap_or(0)));
    }
    sheet.field(0, "Pods Status", counts(&owned(cluster, object).await?));
    template::write(sheet, &object["spec"]["template"]);
    Ok(())
}
