//! Which pods are ready endpoints in the rules that are applied. A kubelet asks before it stops a pod, so
//! that no connection is sent to one that is going.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use parking_lot::RwLock;

use crate::table::Owner;

/// What comes before the uid in the path that a kubelet asks.
const PATH: &str = "/withdrawn/";

/// Pods by the Services whose rules send connections to them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    pods: Arc<RwLock<HashMap<Owner, Vec<String>>>>,
}

// === impl Ready ===

impl Ready {
    /// Takes the pods of one Service, whose rules are applied now.
    pub fn replace(&self, owner: Owner, pods: Vec<String>) {
        let mut all = self.pods.write();
        if pods.is_empty() {
            all.remove(&owner);
        } else {
            all.insert(owner, pods);
        }
    }

    /// Answers a kubelet: whether no rule sends new connections to a pod for its readiness.
    #[must_use]
    pub fn answer(&self, path: &str) -> Option<String> {
        let uid = path.strip_prefix(PATH)?;
        let ready = self.pods.read().values().flatten().any(|pod| pod == uid);
        Some((!ready).to_string())
    }
}

/// The uids of the pods that slices call ready.
#[must_use]
pub fn pods(slices: &[Arc<EndpointSlice>]) -> Vec<String> {
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    let ready = endpoints.filter(|e| e.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true));
    ready.filter_map(|e| e.target_ref.as_ref()?.uid.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_is_withdrawn_once_no_service_has_it_ready() {
        let slice = |ready: bool| -> Vec<Arc<EndpointSlice>> {
            let endpoint = json!({"addresses": ["10.0.0.1"], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "uid": "u"}});
            vec![Arc::new(
                serde_json::from_value(json!({"addressType": "IPv4", "endpoints": [endpoint]})).expect("a slice"),
            )]
        };
        let known = Ready::default();
        known.replace(Owner::Service("d/s".into()), pods(&slice(true)));
        assert_eq!(known.answer("/withdrawn/u").as_deref(), Some("false"));
        known.replace(Owner::Service("d/s".into()), pods(&slice(false)));
        assert_eq!(known.answer("/withdrawn/u").as_deref(), Some("true"));
        assert_eq!(known.answer("/other"), None);
    }
}
