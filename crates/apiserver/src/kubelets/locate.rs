//! Which kubelet runs a pod, and which of its containers is meant.

use k8s_openapi::api::core::v1::{Node, Pod, PodSpec};
use nakhoda_api::{GroupResource, GroupVersionResource, Status};
use nakhoda_rpc::v1::PodRef;
use serde::de::DeserializeOwned;

use super::{Kubelets, Place};
use crate::authz::Attributes;
use crate::request::{Connect, Target};
use crate::verb::{Call, get};

/// A pod and where it runs.
pub struct Located {
    /// The pod.
    pub pod: Pod,
    /// Empty while the pod is not scheduled.
    pub node: String,
}

// === impl Located ===

impl Located {
    /// The pod that a call is about.
    pub async fn of(call: &Call, name: &str) -> Result<Self, Status> {
        let pod: Pod = fresh(call, "pods", name).await?;
        let node = pod.spec.as_ref().and_then(|s| s.node_name.clone()).unwrap_or_default();
        Ok(Self { pod, node })
    }

    /// The pod's kubelet; 400 while it has none.
    pub fn place(&self, call: &Call) -> Result<Place, Status> {
        if self.node.is_empty() {
            let name = self.pod.metadata.name.as_deref().unwrap_or_default();
            return Err(Status::bad_request(format!("pod {name} does not have a host assigned")));
        }
        place(call, &self.node)
    }

    /// How a kubelet is told which container is meant.
    #[must_use]
    pub fn reference(&self, container: &str) -> PodRef {
        let meta = &self.pod.metadata;
        PodRef {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
            container: container.into(),
        }
    }

    /// The container that is meant: the only one if none is named.
    pub fn container(&self, asked: &str) -> Result<String, Status> {
        let name = self.pod.metadata.name.as_deref().unwrap_or_default();
        let empty = PodSpec::default();
        let spec = self.pod.spec.as_ref().unwrap_or(&empty);
        let all = names(spec);
        match (asked, spec.containers.as_slice()) {
            ("", [only]) => Ok(only.name.clone()),
            ("", []) => Err(Status::bad_request(format!("a container name must be specified for pod {name}"))),
            ("", _) => Err(Status::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]",
                all.join(" ")
            ))),
            (asked, _) if all.contains(&asked) => Ok(asked.to_owned()),
            (asked, _) => Err(Status::bad_request(format!("container {asked} is not valid for pod {name}"))),
        }
    }
}

/// An object of the core group in the call's namespace, as it is after every write answered before: a
/// client may well ask for the log of a pod that it has just made.
pub async fn fresh<T: DeserializeOwned>(call: &Call, plural: &str, name: &str) -> Result<T, Status> {
    let resource = GroupVersionResource::new("", "v1", plural);
    let kind = call.pipeline.kinds().get(&resource).ok_or_else(Status::no_such_path)?;
    let item = get::item(&call.on(&kind, call.namespace(), name), "").await?;
    serde_json::from_slice(item.json()).map_err(|error| Status::internal(&error))
}

/// The kubelet of a node.
pub fn place(call: &Call, node: &str) -> Result<Place, Status> {
    let object: Option<Node> = call.pipeline.storage().get("", node);
    Place::of(&object.ok_or_else(|| Status::not_found(&GroupResource::new("", "nodes"), node))?)
}

/// The dialler; 503 if this server has no certificate for kubelets.
pub fn kubelets(call: &Call) -> Result<&Kubelets, Status> {
    let missing = || Status::unavailable("kubelets cannot be reached: --kubelet-client-certificate is not set", 0);
    call.pipeline.extension::<Kubelets>().ok_or_else(missing)
}

/// Websockets open with a GET, but a session changes things: who opens one must be allowed to create it.
pub async fn may_create(call: &Call, method: &str) -> Result<(), Status> {
    match method {
        "post" => Ok(()),
        "get" => {
            call.pipeline
                .authorize(&Attributes::new(call.user.clone(), "create", Target::Resource(call.target.clone())))
                .await
        }
        other => Err(call.unsupported(other)),
    }
}

/// Refuses a session that could not go on in another protocol, before anything is started for it.
pub fn may_upgrade(connect: &Connect) -> Result<(), Status> {
    if connect.plain { Err(Status::bad_request("Upgrade request required")) } else { Ok(()) }
}

fn names(spec: &PodSpec) -> Vec<&str> {
    let init = spec.init_containers.iter().flatten().map(|c| c.name.as_str());
    let main = spec.containers.iter().map(|c| c.name.as_str());
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|c| c.name.as_str());
    init.chain(main).chain(ephemeral).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn located(spec: serde_json::Value) -> Located {
        let pod = serde_json::from_value(json!({"metadata": {"name": "x"}, "spec": spec})).expect("a pod");
        Located { pod, node: String::new() }
    }

    #[test]
    fn the_only_container_is_meant_if_none_is_named() {
        let one = located(json!({"containers": [{"name": "a"}], "initContainers": [{"name": "i"}]}));
        assert_eq!(one.container("").as_deref(), Ok("a"));
        assert_eq!(one.container("i").as_deref(), Ok("i"));
    }

    #[test]
    fn a_session_needs_a_connection_that_can_go_on() {
        let plain = Connect { plain: true, ..Connect::default() };
        assert!(may_upgrade(&plain).is_err_and(|status| status.code == 400));
        assert_eq!(may_upgrade(&Connect::default()), Ok(()));
    }

    #[test]
    fn a_choice_that_is_missing_or_wrong_is_told_in_upstreams_words() {
        let two = located(json!({"containers": [{"name": "a"}, {"name": "b"}]}));
        let text = |asked| two.container(asked).map_err(|s| (s.code, s.message));
        assert_eq!(text(""), Err((400, "a container name must be specified for pod x, choose one of: [a b]".into())));
        assert_eq!(text("c"), Err((400, "container c is not valid for pod x".into())));
    }
}
