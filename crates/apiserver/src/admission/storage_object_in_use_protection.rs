//! StorageObjectInUseProtection: a new claim or volume stays until the controller that looks
//! after its users lets it go. Absent: classes of attributes, which no controller looks after here.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};

const FINALIZERS: &[(&str, &str, &str)] = &[
    ("", "persistentvolumes", "kubernetes.io/pv-protection"),
    ("", "persistentvolumeclaims", "kubernetes.io/pvc-protection"),
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
            let Some(finalizer) = finalizer(attributes) else { return Ok(()) };
            let mut all: Vec<String> = new.finalizers().map(str::to_owned).collect();
            if !all.iter().any(|one| one == finalizer) {
                all.push(finalizer.into());
                new.set_meta("finalizers", all);
            }
            Ok(())
        })
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
