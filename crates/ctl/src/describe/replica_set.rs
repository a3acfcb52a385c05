//! Replica sets, with the number of their pods.

use nakhoda_client::Selection;
use serde_json::Value;

use super::sheet::Sheet;
use super::template;
use super::values::{conditions, controller, labels_and_annotations};
use crate::cluster::{items, text};
use crate::{Cluster, Error, pods};

/// Writes a replica set.
pub async fn describe(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
    let (spec, status) = (&object["spec"], &object["status"]);
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    sheet.field(0, "Selector", pods::selector(object).unwrap_or_default());
    labels_and_annotations(sheet, 0, &object["metadata"]);
    controller(sheet, object);
    let (current, desired) = (status["replicas"].as_u64().unwrap_or(0), spec["replicas"].as_u64().unwrap_or(0));
    sheet.field(0, "Replicas", format!("{current} current / {desired} desired"));
    sheet.field(0, "Pods Status", counts(&owned(cluster, object).await?));
    template::write(sheet, &spec["template"]);
    conditions(sheet, object);
    Ok(())
}

/// The pods that a workload owns.
pub async fn owned(cluster: &Cluster, object: &Value) -> Result<Vec<Value>, Error> {
    let selection = Selection::labels(pods::selector(object).unwrap_or_default());
    let mut pods = cluster.list(cluster.mapping.find("pods")?, text(object, "/metadata/namespace"), &selection).await?;
    let uid = text(object, "/metadata/uid");
    pods.retain(|pod| items(pod, "/metadata/ownerReferences").any(|owner| owner["uid"] == uid && owner["controller"] == true));
    Ok(pods)
}

/// How many pods are in which phase.
#[must_use]
pub fn counts(pods: &[Value]) -> String {
    let count = |phase: &str| pods.iter().filter(|pod| text(pod, "/status/phase") == phase).count();
    format!(
        "{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    )
}
