//! DefaultIngressClass: a new Ingress that names no class gets the newest one marked as default.

use futures::future::BoxFuture;
use nakhoda_api::kinds::networking::IngressClass;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::kinds::networking::ingress::CLASS;
use crate::kinds::networking::ingress_class::is_default;
use crate::rules::classes::newest;

/// The plugin.
pub struct DefaultIngressClass;

impl Plugin for DefaultIngressClass {
    fn name(&self) -> &'static str {
        "DefaultIngressClass"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create
            && attributes.is("networking.k8s.io", "ingresses")
            && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let path = ["spec", "ingressClassName"];
            if new.at(&path).is_some() || new.annotations().any(|(key, _)| key == CLASS) {
                return Ok(());
            }
            let classes = attributes.call.pipeline.storage().list::<IngressClass>(None).into_iter();
            if let Some(name) = newest(classes.filter(is_default).map(|class| class.metadata)) {
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
    async fn an_ingress_without_a_class_gets_the_default_one() {
        let server = Server::start().await;
        let marked = json!({"ingressclass.kubernetes.io/is-default-class": "true"});
        for (name, annotations) in [("a", json!({})), ("b", marked)] {
            let class = json!({"metadata": {"name": name, "annotations": annotations}, "spec": {"controller": "x.y/z"}});
            server.create("ingressclasses", "", &class).await.expect("made");
        }
        server.get("ingressclasses", "", "b").await.expect("in the cache, too");
        let spec = |class| json!({"ingressClassName": class, "defaultBackend": {"service": {"name": "s", "port": {"number": 1}}}});
        for (name, given, wanted) in [("i", None, "b"), ("j", Some("a"), "a")] {
            let ingress = json!({"metadata": {"name": name}, "spec": spec(given)});
            let made = server.create("ingresses", "default", &ingress).await.expect("made");
            assert_eq!(made["spec"]["ingressClassName"], wanted);
        }
    }
}
