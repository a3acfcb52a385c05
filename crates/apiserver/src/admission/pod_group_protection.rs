//! PodGroupProtection: a new group stays while pods belong to it; the controller of that name lets it go.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::storage_object_in_use_protection::protect;
use super::{Attributes, Operation, Plugin};

const FINALIZER: &str = "scheduling.k8s.io/podgroup-protection";

/// The plugin.
pub struct PodGroupProtection;

impl Plugin for PodGroupProtection {
    fn name(&self) -> &'static str {
        "PodGroupProtection"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create
            && attributes.is("scheduling.k8s.io", "podgroups")
            && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, _: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            protect(new, FINALIZER);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn a_group_is_made_with_its_finalizer() {
        let server = Server::start().await;
        let group = json!({"metadata": {"name": "g"}, "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}});
        let made = server.create("podgroups", "default", &group).await.expect("made");
        assert_eq!(made["metadata"]["finalizers"], json!([super::FINALIZER]));
    }
}
