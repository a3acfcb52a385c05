//! DefaultStorageClass: a new claim that names no class gets the newest one marked as default.

use futures::future::BoxFuture;
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::kinds::core::persistent_volume::CLASS;
use crate::kinds::storage::storage_class::is_default;
use crate::rules::classes::newest;

/// The plugin.
pub struct DefaultStorageClass;

impl Plugin for DefaultStorageClass {
    fn name(&self) -> &'static str {
        "DefaultStorageClass"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create
            && attributes.is("", "persistentvolumeclaims")
            && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let path = ["spec", "storageClassName"];
            // an empty name is an answer, too: no class
            if new.at(&path).is_some() || new.annotations().any(|(key, _)| key == CLASS) {
                return Ok(());
            }
            let classes = attributes.call.pipeline.storage().list::<StorageClass>(None).into_iter();
            if let Some(name) = newest(classes.map(|class| class.metadata).filter(is_default)) {
                new.set_at(&path, name.into());
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn a_claim_without_a_class_gets_the_default_one() {
        let server = Server::start().await;
        let marked = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        for (name, annotations) in [("a", json!({})), ("b", marked)] {
            let class = json!({"metadata": {"name": name, "annotations": annotations}, "provisioner": "x.y/z"});
            server.create("storageclasses", "", &class).await.expect("made");
        }
        server.get("storageclasses", "", "b").await.expect("in the cache, too");
        for (name, given, wanted) in [("i", None, "b"), ("j", Some("a"), "a"), ("k", Some(""), "")] {
            let claim = json!({"metadata": {"name": name}, "spec": {
                "storageClassName": given, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            }});
            let made = server.create("persistentvolumeclaims", "default", &claim).await.expect("made");
            assert_eq!(made["spec"]["storageClassName"], wanted);
        }
    }
}
