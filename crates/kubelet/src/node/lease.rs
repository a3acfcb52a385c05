//! The node's heartbeat: a Lease renewed every 10 s, in a task of its own that nothing else delays.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, OwnerReference};
use nakhoda_client::{Client, Error};
use tokio::sync::watch;

const NAMESPACE: &str = "kube-node-lease";
const SECONDS: i32 = 40;
const RENEW: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(7);

/// Beats for ever. The Node, once it is known, owns the Lease.
pub async fn beat(client: Client, name: String, node: watch::Receiver<Option<Node>>) {
    let api = client.namespaced::<Lease>(NAMESPACE);
    let mut known: Option<Lease> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let owner = node.borrow().as_ref().map(owner);
        let outcome = match known.take() {
            Some(lease) => api.update(&renewed(lease, owner)).await,
            None => match api.get(&name).await {
                Ok(lease) => api.update(&renewed(claimed(lease, &name), owner)).await,
                Err(error) if error.is_not_found() => api.create(&renewed(fresh(&name), owner)).await,
                Err(error) => Err(error),
            },
        };
        match outcome {
            Ok(lease) => {
                known = Some(lease);
                pause = FIRST_PAUSE;
                tokio::time::sleep(RENEW).await;
            }
            Err(error) => {
                tell(&error);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn tell(error: &Error) {
    if error.is_conflict() || error.is_not_found() {
        tracing::debug!(%error, "lease not renewed; trying again");
    } else {
        tracing::warn!(%error, "lease not renewed; trying again");
    }
}

fn fresh(name: &str) -> Lease {
    let metadata = ObjectMeta { name: Some(name.into()), namespace: Some(NAMESPACE.into()), ..ObjectMeta::default() };
    claimed(Lease { metadata, spec: None }, name)
}

fn claimed(mut lease: Lease, name: &str) -> Lease {
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(name.into()),
        lease_duration_seconds: Some(SECONDS),
        ..lease.spec.unwrap_or_default()
    });
    lease
}

fn renewed(mut lease: Lease, owner: Option<OwnerReference>) -> Lease {
    if let Some(spec) = &mut lease.spec {
        spec.renew_time = Some(MicroTime(Timestamp::now()));
    }
    if owner.is_some() {
        lease.metadata.owner_references = owner.map(|owner| vec![owner]);
    }
    lease
}

fn owner(node: &Node) -> OwnerReference {
    OwnerReference {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: node.metadata.name.clone().unwrap_or_default(),
        uid: node.metadata.uid.clone().unwrap_or_default(),
        ..OwnerReference::default()
    }
}
