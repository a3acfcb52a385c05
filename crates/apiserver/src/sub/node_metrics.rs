//! NodeMetrics: what nodes use, asked of their kubelets. A node that does not answer is not in the list.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use nakhoda_api::kinds::metrics::API_VERSION;
use nakhoda_api::{GroupResource, Status};
use nakhoda_rpc::v1::NodeUsage as Told;
use nakhoda_store::cache::Item;
use serde_json::json;

use super::Handler;
use super::pod_metrics::{self, labels};
use crate::kubelets::usage;
use crate::request::Action;
use crate::response::Response;
use crate::verb::{Call, get};

/// Tells of nodes.
pub struct NodeUsage;

// === impl NodeUsage ===

impl Handler for NodeUsage {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Get { .. } => {
                    let node = get::item(&pod_metrics::subject(call, "nodes")?, "").await?;
                    let told = usage::ask(call, BTreeSet::from([node.name().to_owned()]), false).await?;
                    let shown = told.get(node.name()).and_then(|told| show(call, &node, told));
                    let missing = GroupResource::new("metrics.k8s.io", "nodemetrics");
                    let shown = shown.ok_or_else(|| Status::not_found(&missing, node.name()))?;
                    Ok(Response::new(call.item(shown)))
                }
                Action::List(options) => {
                    let nodes = pod_metrics::selected(call, &options).await?;
                    let names = nodes.iter().map(|node| node.name().to_owned()).collect();
                    let told = usage::ask(call, names, false).await?;
                    let shown = nodes.iter().filter_map(|node| show(call, node, told.get(node.name())?));
                    Ok(pod_metrics::listed(call, shown.collect()))
                }
                _ => Err(call.unsupported("nodes")),
            }
        })
    }
}

fn show(call: &Call, node: &Item, told: &Told) -> Option<Arc<Item>> {
    let told = told.node.as_ref()?;
    let mut object = json!({
        "kind": "NodeMetrics",
        "apiVersion": API_VERSION,
        "metadata": {"name": node.name(), "creationTimestamp": nakhoda_api::time::now_rfc3339(call.now)},
    });
    labels(&mut object, node);
    usage::stamp(&mut object, told);
    object["usage"] = usage::amounts(told);
    Some(Arc::new(Item::unstored(node.key().clone(), object.to_string().into())))
}
