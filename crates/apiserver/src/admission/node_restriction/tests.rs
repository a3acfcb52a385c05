//! The class of CVE-2025-5187 (a node that is deleted by its own ownerReferences) and CVE-2025-4563 (a node that
//! gives its pods claims of others), and what else a kubelet could gain by writing: each is refused, and what it has
//! to write is not.

use std::sync::Arc;

use nakhoda_api::Status;
use nakhoda_daemon::pki::token_key::TokenKey;
use serde_json::{Value, json};

use crate::authz::{Attributes, Authorizer, Decision};
use crate::identity::Issuer;
use crate::testing::Server;
use crate::user::User;

/// What is done to a pod, and why that is refused.
type Refused<'a> = (fn(&mut Value), &'a str);

const MIRROR: &str = "kubernetes.io/config.mirror";

/// A server whose caller is the kubelet of node `a`, with nodes `a` and `b` and a pod on each.
async fn house() -> Server {
    let mut server = Server::start().await;
    for node in ["a", "b"] {
        server.create("nodes", "", &json!({"metadata": {"name": node}})).await.expect("made");
        let pod = json!({"metadata": {"name": node}, "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}});
        server.create("pods", "default", &pod).await.expect("made");
    }
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    server.create("persistentvolumeclaims", "default", &claim).await.expect("made");
    server.user = User { name: "system:node:a".into(), groups: vec!["system:nodes".into()], ..User::default() };
    server
}

fn why(outcome: Result<Value, Status>) -> String {
    let refused = outcome.expect_err("refused");
    assert_eq!(refused.code, 403, "{refused}");
    refused.message.split_once("is forbidden: ").map_or("", |(_, why)| why).to_owned()
}

#[tokio::test]
async fn a_kubelet_gives_its_node_no_owner_taint_or_restricted_label() {
    let server = house().await;
    let patch = async |node: &str, patch: Value| server.patch("nodes", "", node, &patch).await;
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "x"}]);
    let owned = patch("a", json!({"metadata": {"ownerReferences": owner}})).await;
    assert_eq!(why(owned), "node \"a\" is not allowed to modify ownerReferences");
    let through_status = server.patch("nodes/status", "", "a", &json!({"metadata": {"ownerReferences": owner}})).await;
    if let Ok(node) = through_status {
        assert_eq!(node["metadata"]["ownerReferences"], Value::Null, "the status carries no owner");
    }
    assert_eq!(why(patch("a", json!({"spec": {"taints": []}})).await), "node \"a\" is not allowed to modify taints");
    let label = json!({"metadata": {"labels": {"node-restriction.kubernetes.io/pci": "yes"}}});
    assert_eq!(why(patch("a", label).await), "is not allowed to modify labels: node-restriction.kubernetes.io/pci");
    assert_eq!(why(patch("b", json!({})).await), "node \"a\" is not allowed to modify node \"b\"");
    patch("a", json!({"metadata": {"labels": {"mine": "yes"}}})).await.expect("what nobody restricts");
}

#[tokio::test]
async fn a_kubelet_touches_only_the_status_of_pods_on_it_and_no_claims_there() {
    let server = house().await;
    let status = async |pod: &str, patch: Value| server.patch("pods/status", "default", pod, &patch).await;
    let foreign = status("b", json!({"status": {"phase": "Failed"}})).await;
    assert_eq!(why(foreign), "node \"a\" can only update pod status for pods with spec.nodeName set to itself");
    let claims = json!([{"name": "d", "resourceClaimName": "of-others"}]);
    let claimed = status("a", json!({"status": {"resourceClaimStatuses": claims}})).await;
    assert_eq!(why(claimed), "node \"a\" cannot update resource claim statues");
    status("a", json!({"status": {"phase": "Running"}})).await.expect("its own");
    let deleted = server.delete("pods", "default", "b", &json!({})).await;
    assert_eq!(why(deleted), "node \"a\" can only delete pods with spec.nodeName set to itself");
    let changed = server.patch("pods", "default", "a", &json!({"metadata": {"labels": {"x": "y"}}})).await;
    assert!(why(changed).contains("can only create and delete mirror pods"));
}

#[tokio::test]
async fn a_mirror_pod_names_its_node_and_nothing_else_of_the_api() {
    let server = house().await;
    let uid = server.get("nodes", "", "a").await.expect("there")["metadata"]["uid"].clone();
    let make = async |change: fn(&mut Value)| {
        let owner = json!({"apiVersion": "v1", "kind": "Node", "name": "a", "uid": uid, "controller": true});
        let mut pod = json!({"metadata": {"name": "m", "annotations": {MIRROR: "x"}, "ownerReferences": [owner]},
            "spec": {"nodeName": "a", "containers": [{"name": "c", "image": "i"}]}});
        change(&mut pod);
        server.create("pods", "default", &pod).await
    };
    let owner = "node \"a\" can only create pods with an owner reference set to itself";
    let refused: [Refused<'_>; 7] = [
        (|pod| pod["spec"]["nodeName"] = "b".into(), "node \"a\" can only create pods with spec.nodeName set to itself"),
        (|pod| pod["metadata"]["ownerReferences"] = json!([]), owner),
        (|pod| pod["metadata"]["ownerReferences"][0]["name"] = "b".into(), owner),
        (
            |pod| pod["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = true.into(),
            "node \"a\" must not set blockOwnerDeletion on an owner reference",
        ),
        (
            |pod| pod["spec"]["volumes"] = json!([{"name": "v", "secret": {"secretName": "of-others"}}]),
            "node \"a\" can not create pods that reference secrets",
        ),
        (
            |pod| pod["spec"]["resourceClaims"] = json!([{"name": "d", "resourceClaimName": "of-others"}]),
            "node \"a\" can not create pods that reference resourceclaims",
        ),
        (
            |pod| pod["spec"]["serviceAccountName"] = "default".into(),
            "node \"a\" can not create pods that reference serviceaccounts",
        ),
    ];
    for (change, told) in refused {
        assert_eq!(why(make(change).await), told);
    }
    let stranger = why(make(|pod| pod["metadata"]["ownerReferences"][0]["uid"] = "x".into()).await);
    assert!(stranger.starts_with("node a UID mismatch: expected x got "), "{stranger}");
    make(|_| {}).await.expect("a mirror pod");
}

#[tokio::test]
async fn leases_slices_drivers_claims_and_certificates_are_the_nodes_own() {
    let server = house().await;
    let lease = json!({"metadata": {"name": "b"}, "spec": {}});
    let told = why(server.create("leases", "default", &lease).await);
    assert_eq!(told, "can only access leases in the \"kube-node-lease\" system namespace");
    let csi = json!({"metadata": {"name": "b"}, "spec": {"drivers": []}});
    let told = why(server.create("csinodes", "", &csi).await);
    assert_eq!(told, "can only access CSINode with the same name as the requesting node");
    let slice = |node: &str| {
        json!({"metadata": {"name": node}, "spec": {"driver": "d.example.com", "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1}}})
    };
    let told = why(server.create("resourceslices", "", &slice("b")).await);
    assert_eq!(told, "can only create ResourceSlice with the same NodeName as the requesting node");
    server.create("resourceslices", "", &slice("a")).await.expect("its own");
    let told = why(server.patch("persistentvolumeclaims", "default", "c", &json!({"metadata": {"labels": {"x": "y"}}})).await);
    assert_eq!(told, "may only update PVC status");
    let phase = server.patch("persistentvolumeclaims/status", "default", "c", &json!({"status": {"phase": "Lost"}})).await;
    assert!(why(phase).contains("is not allowed to update fields other than status.quantity and status.conditions"));
    let own = request("system:node:a");
    server.create("certificatesigningrequests", "", &own).await.expect("its own");
    let told = why(server.create("certificatesigningrequests", "", &request("system:node:b")).await);
    assert_eq!(told, "can only create a node CSR with CN=system:node:a");
}

/// Nobody has the right to tokens for others.
struct NoAudiences;

impl Authorizer for NoAudiences {
    fn authorize(&self, attributes: &Attributes) -> Decision {
        match attributes.verb.as_str() {
            "request-serviceaccounts-token-audience" => Decision::NoOpinion(String::new()),
            _ => Decision::Allow(String::new()),
        }
    }
}

#[tokio::test]
async fn a_kubelet_gets_tokens_for_its_pods_and_for_whom_they_want_them() {
    let issuer = Issuer::new("https://k", TokenKey::generate().expect("a key"));
    let mut server = Server::knowing(Arc::new(issuer)).await;
    server.pipeline.authz().replace(vec![Arc::new(NoAudiences)]);
    let account = json!({"metadata": {"name": "default"}});
    server.create("serviceaccounts", "default", &account).await.expect("an account");
    let driver = json!({"metadata": {"name": "d.example.com"}, "spec": {"tokenRequests": [{"audience": "vault"}]}});
    server.create("csidrivers", "", &driver).await.expect("a driver");
    let token = json!({"serviceAccountToken": {"path": "t", "audience": "mesh"}});
    let volumes = json!([{"name": "p", "projected": {"sources": [token]}}, {"name": "c", "csi": {"driver": "d.example.com"}}]);
    let mut uids = Vec::new();
    for node in ["a", "b"] {
        server.create("nodes", "", &json!({"metadata": {"name": node}})).await.expect("a node");
        let spec = json!({"nodeName": node, "containers": [{"name": "c", "image": "i"}], "volumes": volumes});
        let pod = server.create("pods", "default", &json!({"metadata": {"name": node}, "spec": spec})).await.expect("a pod");
        uids.push(pod["metadata"]["uid"].clone());
    }
    server.user = User { name: "system:node:a".into(), groups: vec!["system:nodes".into()], ..User::default() };
    let ask = async |bound: Value, audiences: &[&str]| {
        let request = json!({"spec": {"audiences": audiences, "boundObjectRef": bound}});
        server.post("serviceaccounts/token", "default", "default", &request).await
    };
    let bound = |name: &str, uid: &Value| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid});
    let own = bound("a", &uids[0]);
    for (wish, audiences, told) in [
        (Value::Null, &[][..], "node requested token not bound to a pod"),
        (bound("b", &uids[1]), &[], "node requested token bound to a pod scheduled on a different node"),
        (own.clone(), &["mesh", "vault"], "node may only request 0 or 1 audiences"),
        (
            own.clone(),
            &["https://bank"],
            "audience \"https://bank\" not found in pod spec volume, system:node:a is not authorized to request tokens \
             for this audience",
        ),
    ] {
        assert_eq!(why(ask(wish, audiences).await), told);
    }
    for audiences in [&[][..], &["mesh"], &["vault"]] {
        let given = ask(own.clone(), audiences).await.expect("its own");
        assert!(given["status"]["token"].is_string(), "{given}");
    }
}

fn request(name: &str) -> Value {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "system:nodes");
    let key = rcgen::KeyPair::generate().expect("a key");
    let pem = params.serialize_request(&key).expect("signed").pem().expect("PEM");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem);
    json!({"metadata": {"generateName": "r-"}, "spec": {"request": encoded, "usages": ["client auth"],
        "signerName": "kubernetes.io/kube-apiserver-client-kubelet"}})
}
