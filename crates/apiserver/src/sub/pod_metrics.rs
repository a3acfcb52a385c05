//! PodMetrics: what the containers of pods use, asked of the kubelets that run them. A pod is told of when each of its
//! containers that run was measured twice; pods of nodes that do not answer are not in the list.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::BoxFuture;
use nakhoda_api::kinds::metrics::API_VERSION;
use nakhoda_api::{GroupResource, GroupVersionResource, Status};
use nakhoda_rpc::v1;
use nakhoda_store::cache::Item;
use serde_json::{Map, Value, json};

use super::Handler;
use crate::kubelets::usage;
use crate::request::{Action, ListOptions};
use crate::response::{Answer, Response};
use crate::verb::{Call, get, outcome, selection};

/// Tells of pods.
pub struct PodUsage;

// === impl PodUsage ===

impl Handler for PodUsage {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Get { .. } => {
                    let subject = subject(call, "pods")?;
                    let pod = get::item(&subject, "").await?;
                    if !runs(&pod) {
                        return Err(subject.not_found());
                    }
                    let shown = show(call, std::slice::from_ref(&pod)).await?.pop();
                    let missing = GroupResource::new("metrics.k8s.io", "podmetrics");
                    let shown = shown.ok_or_else(|| Status::not_found(&missing, pod.key()))?;
                    Ok(Response::new(call.item(shown)))
                }
                Action::List(options) => {
                    let mut pods = selected(call, &options).await?;
                    pods.retain(|pod| runs(pod));
                    Ok(listed(call, show(call, &pods).await?))
                }
                _ => Err(call.unsupported("pods")),
            }
        })
    }
}

/// The same call about the object of the core group that is measured.
pub(super) fn subject(call: &Call, plural: &str) -> Result<Call, Status> {
    let resource = GroupVersionResource::new("", "v1", plural);
    let kind = call.pipeline.kinds().get(&resource).ok_or_else(Status::no_such_path)?;
    Ok(call.on(&kind, call.namespace(), &call.target.name))
}

/// The objects that are measured, out of the cache that the kind shares with them.
pub(super) async fn selected(call: &Call, options: &ListOptions) -> Result<Vec<Arc<Item>>, Status> {
    let (filter, _) = selection::filter(call, options)?;
    let snapshot = call.cache().fresh().await.map_err(|error| outcome::status(call, "", &error))?;
    Ok(snapshot.page(&filter, None, 0).items)
}

/// A list of what no store keeps.
pub(super) fn listed(call: &Call, items: Vec<Arc<Item>>) -> Response {
    let continue_token = String::new();
    Response::new(Answer::List { kind: call.kind.clone(), items, revision: 0, continue_token, remaining: None })
}

/// Gives an object the labels of what is measured.
pub(super) fn labels(object: &mut Value, of: &Item) {
    let labels: Map<String, Value> = of.labels().map(|(key, value)| (key.to_owned(), value.into())).collect();
    if !labels.is_empty() {
        object["metadata"]["labels"] = labels.into();
    }
}

fn runs(pod: &Item) -> bool {
    pod.field("status.phase") == Some("Running")
}

fn node(pod: &Item) -> Option<String> {
    pod.field("spec.nodeName").filter(|node| !node.is_empty()).map(str::to_owned)
}

async fn show(call: &Call, pods: &[Arc<Item>]) -> Result<Vec<Arc<Item>>, Status> {
    let nodes: BTreeSet<String> = pods.iter().filter_map(|pod| node(pod)).collect();
    let told = usage::ask(call, nodes, true).await?;
    let told = told.into_values().flat_map(|node| node.pods);
    let told: HashMap<String, v1::PodUsage> = told.map(|pod| (pod.uid.clone(), pod)).collect();
    Ok(pods.iter().filter_map(|pod| one(call, pod, told.get(pod.uid())?)).collect())
}

fn one(call: &Call, pod: &Item, told: &v1::PodUsage) -> Option<Arc<Item>> {
    let usages = told.containers.iter().filter_map(|container| Some((&container.name, container.usage.as_ref()?)));
    // measured one after the other: the oldest stands for the pod
    let oldest = usages.clone().map(|(_, usage)| usage).min_by_key(|usage| usage.time)?;
    let mut object = json!({
        "kind": "PodMetrics",
        "apiVersion": API_VERSION,
        "metadata": {"name": pod.name(), "namespace": pod.namespace(),
            "creationTimestamp": nakhoda_api::time::now_rfc3339(call.now)},
    });
    labels(&mut object, pod);
    usage::stamp(&mut object, oldest);
    object["containers"] = usages.map(|(name, usage)| json!({"name": name, "usage": usage::amounts(usage)})).collect();
    Some(Arc::new(Item::unstored(pod.key().clone(), object.to_string().into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Server;

    #[tokio::test]
    async fn what_cannot_be_measured_is_told_in_upstreams_words() {
        let server = Server::start().await;
        let target = |resource: &str, name: &str, namespace: &str| crate::request::ResourceTarget {
            gvr: GroupVersionResource::new("metrics.k8s.io", "v1beta1", resource),
            name: name.into(),
            namespace: namespace.into(),
            ..Default::default()
        };
        let get = || Action::Get { resource_version: String::new() };
        let error = |answer: Result<Response, Status>| answer.map(drop).expect_err("refused");
        let status = error(server.pipeline.internal(target("pods", "a", "default"), get()).await);
        assert_eq!((status.code, status.message.as_str()), (404, "pods \"a\" not found"));
        let status = error(server.pipeline.internal(target("nodes", "n", ""), get()).await);
        assert_eq!((status.code, status.message.as_str()), (404, "nodes \"n\" not found"));
        let options = ListOptions { fields: "spec.nodeName=n".into(), ..ListOptions::default() };
        let list = server.pipeline.internal(target("pods", "", "default"), Action::List(options)).await;
        assert!(error(list).message.contains("is not a known field selector"));
        let list = server.pipeline.internal(target("pods", "", "default"), Action::List(ListOptions::default())).await;
        assert_eq!(error(list).code, 503, "without a certificate no kubelet can be asked");
    }
}
