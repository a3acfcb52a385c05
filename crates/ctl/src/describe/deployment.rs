//! Deployments, with their replica sets.

use nakhoda_client::Selection;
use serde_json::Value;

use super::sheet::Sheet;
use super::template;
use super::values::{conditions, labels_and_annotations, or_none, scalar, time};
use crate::cluster::{items, text};
use crate::{Cluster, Error, pods};

/// Which template a replica set has is told by its revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// Writes a Deployment.
pub async fn describe(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
    write(sheet, object, &replica_sets(cluster, object).await?);
    Ok(())
}

/// The replica sets that it owns.
pub async fn replica_sets(cluster: &Cluster, object: &Value) -> Result<Vec<Value>, Error> {
    let selection = Selection::labels(pods::selector(object).unwrap_or_default());
    let resource = cluster.mapping.find("replicasets.apps")?;
    let mut sets = cluster.list(resource, text(object, "/metadata/namespace"), &selection).await?;
    let uid = text(object, "/metadata/uid");
    sets.retain(|set| items(set, "/metadata/ownerReferences").any(|owner| owner["uid"] == uid && owner["controller"] == true));
    Ok(sets)
}

fn write(sheet: &mut Sheet, object: &Value, sets: &[Value]) {
    let (spec, status) = (&object["spec"], &object["status"]);
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    sheet.field(0, "CreationTimestamp", time(text(object, "/metadata/creationTimestamp")));
    labels_and_annotations(sheet, 0, &object["metadata"]);
    sheet.field(0, "Selector", pods::selector(object).unwrap_or_default());
    let count = |name: &str| status[name].as_u64().unwrap_or(0);
    sheet.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            spec["replicas"].as_u64().unwrap_or(1),
            count("updatedReplicas"),
            count("replicas"),
            count("availableReplicas"),
            count("unavailableReplicas")
        ),
    );
    sheet.field(0, "StrategyType", text(spec, "/strategy/type"));
    sheet.field(0, "MinReadySeconds", spec["minReadySeconds"].as_u64().unwrap_or(0));
    let rolling = &spec["strategy"]["rollingUpdate"];
    if rolling.is_object() {
        let (unavailable, surge) = (scalar(&rolling["maxUnavailable"]), scalar(&rolling["maxSurge"]));
        sheet.field(0, "RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    template::write(sheet, &spec["template"]);
    conditions(sheet, object);
    if !sets.is_empty() {
        let revision = |object: &Value| object["metadata"]["annotations"][REVISION].as_str().map(str::to_owned);
        let (new, old): (Vec<&Value>, Vec<&Value>) = sets.iter().partition(|set| revision(set) == revision(object));
        sheet.field(0, "OldReplicaSets", listed(&old));
        sheet.field(0, "NewReplicaSet", listed(&new));
    }
}

fn listed(sets: &[&Value]) -> String {
    let one = |set: &&Value| {
        let (actual, desired) = (set["status"]["replicas"].as_u64().unwrap_or(0), set["spec"]["replicas"].as_u64().unwrap_or(0));
        format!("{} ({actual}/{desired} replicas created)", text(set, "/metadata/name"))
    };
    or_none(&sets.iter().map(one).collect::<Vec<_>>().join(", ")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_new_replica_set_is_told_apart_from_the_old_ones() {
        let at = |revision: &str, name: &str| json!({"metadata": {"name": name, "annotations": {REVISION: revision}}, "spec": {"replicas": 1}});
        let mut sheet = Sheet::new(jiff::Timestamp::UNIX_EPOCH);
        write(&mut sheet, &at("2", "web"), &[at("1", "web-1"), at("2", "web-2")]);
        let text = sheet.text();
        let told: Vec<&str> = text.lines().rev().take(2).collect();
        assert!(told[0].starts_with("NewReplicaSet:") && told[0].ends_with(" web-2 (0/1 replicas created)"), "{text}");
        assert!(told[1].starts_with("OldReplicaSets:") && told[1].ends_with(" web-1 (0/1 replicas created)"), "{text}");
    }
}
