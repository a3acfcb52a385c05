//! PersistentVolumeClaimResize: a claim grows only once it is bound, and only if its class lets it. That an unbound
//! one is as it was made is said before, by the kind.

use futures::future::BoxFuture;
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_api::quantity::Quantity;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::kinds::core::persistent_volume::CLASS;

const UNBOUND: &str = "Only bound persistent volume claims can be expanded";
const FIXED: &str = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";

/// The plugin.
pub struct PersistentVolumeClaimResize;

impl Plugin for PersistentVolumeClaimResize {
    fn name(&self) -> &'static str {
        "PersistentVolumeClaimResize"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.writes(Operation::Update, "", "persistentvolumeclaims", "")
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let (Some(new), Some(old)) = (object, attributes.old) else { return Ok(()) };
            if size(new) <= size(old) {
                return Ok(());
            }
            if old.str_at(&["status", "phase"]) != Some("Bound") {
                return Err(attributes.forbidden(object, UNBOUND));
            }
            let name = class(new);
            let found = if name.is_empty() { None } else { attributes.find::<StorageClass>("", name).await? };
            let grows = found.and_then(|class| class.allow_volume_expansion) == Some(true);
            if name != class(old) || !grows {
                return Err(attributes.forbidden(object, FIXED));
            }
            Ok(())
        })
    }
}

fn size(claim: &Object) -> Quantity {
    let text = claim.str_at(&["spec", "resources", "requests", "storage"]);
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The annotation is the older way to say it, and goes first.
fn class(claim: &Object) -> &str {
    let noted = claim.annotations().find(|(key, _)| *key == CLASS).map(|(_, class)| class);
    noted.or_else(|| claim.str_at(&["spec", "storageClassName"])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Server;

    #[tokio::test]
    async fn a_bound_claim_grows_if_its_class_lets_it() {
        let server = Server::start().await;
        for (name, grows) in [("fixed", false), ("elastic", true)] {
            let class = json!({"metadata": {"name": name}, "provisioner": "x.y/z", "allowVolumeExpansion": grows});
            server.create("storageclasses", "", &class).await.expect("made");
        }
        for (name, class, phase, wanted) in [
            ("a", "fixed", "Bound", Some(FIXED)),
            ("b", "", "Bound", Some(FIXED)),
            ("c", "elastic", "Bound", None),
        ] {
            let claim = json!({"metadata": {"name": name}, "spec": {
                "storageClassName": class, "volumeName": "v", "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }});
            server.create("persistentvolumeclaims", "default", &claim).await.expect("made");
            let status = json!({"status": {"phase": phase}});
            server.patch("persistentvolumeclaims/status", "default", name, &status).await.expect("has a phase");
            let growth = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
            let grown = server.patch("persistentvolumeclaims", "default", name, &growth).await;
            let expected = wanted.map(|why| format!("persistentvolumeclaims \"{name}\" is forbidden: {why}"));
            assert_eq!(grown.err().map(|status| status.message), expected, "{name}");
        }
    }
}
