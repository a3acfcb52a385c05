//! What `describe` prints of an object: one file and one line for each kind that has a description of its
//! own; all others are written field by field.

pub mod events;
pub mod generic;
pub mod sheet;
pub mod template;
pub mod values;

use jiff::Timestamp;
use serde_json::Value;

use crate::{Cluster, Error};
use sheet::Sheet;

/// Emits the modules and the choice from one list.
macro_rules! kinds {
    ($($file:ident => ($group:literal, $kind:literal)),* $(,)?) => {
        $(pub mod $file;)*

        async fn body(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
            let gvk = crate::cluster::gvk(object)?;
            match (gvk.group.as_str(), gvk.kind.as_str()) {
                $(($group, $kind) => $file::describe(sheet, cluster, object).await,)*
                _ => {
                    generic::write(sheet, object);
                    Ok(())
                }
            }
        }
    };
}

kinds! {
    config_map => ("", "ConfigMap"),
    daemon_set => ("apps", "DaemonSet"),
    deployment => ("apps", "Deployment"),
    node => ("", "Node"),
    pod => ("", "Pod"),
    replica_set => ("apps", "ReplicaSet"),
    replication_controller => ("", "ReplicationController"),
    secret => ("", "Secret"),
    service => ("", "Service"),
}

/// The description of an object; with its events if wanted.
pub async fn text(cluster: &Cluster, object: &Value, with_events: bool) -> Result<String, Error> {
    let mut sheet = Sheet::new(Timestamp::now());
    body(&mut sheet, cluster, object).await?;
    if with_events {
        let found = events::of(cluster, object).await?;
        events::write(&mut sheet, &found);
    }
    Ok(sheet.text())
}
