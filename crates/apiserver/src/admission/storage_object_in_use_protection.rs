//! StorageObjectInUseProtection: a new claim, volume or class of attributes stays until the controller
//! that looks after its users lets it go.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};

const FINALIZERS: &[(&str, &str, &str)] = &[
    ("", "persistentvolumes", "kubernetes.io/pv-protection"),
    ("", "persistentvolumeclaims", "kubernetes.io/pvc-protection"),
    ("storage.k8s.io", "volumeattributesclasses", "kubernetes.io/vac-protection"),
];

/// The plugin.
pub struct StorageObjectInUseProtection;

impl Plugin for StorageObjectInUseProtection {
    fn name(&self) -> &'static str {
        "StorageObjectInUseProtection"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create
            && attributes.subresource().is_empty()
            && finalizer(attributes).is_some()
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            if let Some(finalizer) = finalizer(attributes) {
                protect(new, finalizer);
            }
            Ok(())
        })
    }
}

/// Gives an object a finalizer, unless it has it.
pub(super) fn protect(new: &mut Object, finalizer: &str) {
    let mut all: Vec<String> = new.finalizers().map(str::to_owned).collect();
    if !all.iter().any(|one| one == finalizer) {
        all.push(finalizer.into());
        new.set_meta("finalizers", all);
    }
}

fn finalizer(attributes: &Attributes<'_>) -> Option<&'static str> {
    FINALIZERS.iter().find(|(group, resource, _)| attributes.is(group, resource)).map(|(_, _, finalizer)| *finalizer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn a_claim_is_made_with_its_finalizer_once() {
        let server = Server::start().await;
        let kept = "kubernetes.io/pvc-protection";
        for (name, given, wanted) in [
            ("a", json!(["x.y/z"]), json!(["x.y/z", kept])),
            ("b", json!([kept]), json!([kept])),
            ("c", json!(null), json!([kept])),
        ] {
            let claim = json!({"metadata": {"name": name, "finalizers": given}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            }});
            let made = server.create("persistentvolumeclaims", "default", &claim).await.expect("made");
            assert_eq!(made["metadata"]["finalizers"], wanted);
        }
    }
}
