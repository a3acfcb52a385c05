//! The history of a workload: the templates it had, by revision.

use std::collections::BTreeMap;

use nakhoda_client::Selection;
use serde_json::Value;

use crate::cluster::{items, text};
use crate::describe::deployment::{REVISION, replica_sets};
use crate::targets::Item;
use crate::{Cluster, Error, pods};

/// Why a revision was made, as its author says.
const CAUSE: &str = "kubernetes.io/change-cause";

/// A past or present state of a workload.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The replica set or controller revision that holds it.
    pub holder: Value,
    /// The pod template.
    pub template: Value,
}

// === impl Revision ===

impl Revision {
    /// Why it was made.
    #[must_use]
    pub fn cause(&self) -> &str {
        let annotations = [&self.holder["metadata"]["annotations"], &self.template["metadata"]["annotations"]];
        annotations.iter().find_map(|map| map[CAUSE].as_str()).unwrap_or("<none>")
    }
}

/// All revisions, oldest first.
pub async fn of(cluster: &Cluster, item: &Item, object: &Value) -> Result<BTreeMap<u64, Revision>, Error> {
    match item.resource.kind.as_str() {
        "Deployment" => Ok(replica_sets(cluster, object).await?.into_iter().filter_map(of_replica_set).collect()),
        "DaemonSet" | "StatefulSet" => {
            let selection = Selection::labels(pods::selector(object).unwrap_or_default());
            let resource = cluster.mapping.find("controllerrevisions.apps")?;
            let mut all = cluster.list(resource, &item.namespace, &selection).await?;
            let uid = text(object, "/metadata/uid");
            all.retain(|one| items(one, "/metadata/ownerReferences").any(|owner| owner["uid"] == uid));
            Ok(all.into_iter().filter_map(of_controller_revision).collect())
        }
        kind => Err(Error::Usage(format!("no history viewer has been implemented for {kind:?}"))),
    }
}

fn of_replica_set(set: Value) -> Option<(u64, Revision)> {
    let number = set["metadata"]["annotations"][REVISION].as_str()?.parse().ok()?;
    let template = set["spec"]["template"].clone();
    Some((number, Revision { holder: set, template }))
}

fn of_controller_revision(revision: Value) -> Option<(u64, Revision)> {
    let number = revision["revision"].as_u64()?;
    let mut template = revision["data"]["spec"]["template"].clone();
    if let Some(map) = template.as_object_mut() {
        map.shift_remove("$patch");
    }
    Some((number, Revision { holder: revision, template }))
}
