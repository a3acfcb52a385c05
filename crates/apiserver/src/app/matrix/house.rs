//! The whole server on the memory store, with the objects that the questions are about.

use std::sync::Arc;

use clap::Parser;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_daemon::Tasks;
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_daemon::pki::token_key::TokenKey;
use nakhoda_store::{Memory, Transformed};
use serde_json::{Value, json};

use super::oracle::World;
use crate::aggregation::Aggregation;
use crate::app::authentication::Outside;
use crate::app::{self, Core, Peers, authorization};
use crate::authn::certificate::Certificates;
use crate::encryption::Encryption;
use crate::identity::Issuer;
use crate::options::Options;
use crate::request::{Action, Body, ListOptions, ResourceTarget, Write, WriteOptions};
use crate::response::Answer;
use crate::serve::Fronts;
use crate::storage::Stored;
use crate::{authz, bootstrap};

/// A token that a machine joins with.
pub(super) const BOOTSTRAP: &str = "abcdef.0123456789abcdef";

/// The server.
pub(super) struct House {
    pub(super) core: Core,
    tasks: Tasks,
    metrics: Metrics,
}

// === impl House ===

impl House {
    pub(super) async fn build() -> Self {
        nakhoda_daemon::install_crypto();
        let (tasks, metrics) = (Tasks::new(), Metrics::default());
        let files = ["tls-cert-file", "tls-private-key-file", "client-ca-file", "service-account-signing-key-file"];
        let flags = files.map(|flag| format!("--{flag}=/unread"));
        let options = Options::parse_from(std::iter::once("apiserver".to_owned()).chain(flags));
        let store = Transformed::new(Arc::new(Memory::default()), Arc::new(Stored::new(Encryption::default())));
        let peers = Peers {
            auditor: None,
            kubelets: None,
            aggregation: Aggregation::new(None, &tasks),
            certificates: vec![Box::new(Certificates::default())],
            outside: Outside::default(),
            deciders: authorization::read(&options.authorization).expect("the usual"),
        };
        let issuer = Arc::new(Issuer::new("https://kubernetes", TokenKey::generate().expect("a key")));
        let core =
            app::core(Arc::new(store), &options, issuer, peers, &metrics, &tasks).expect("no plugin is selected");
        let house = Self { core, tasks, metrics };
        house.core.pipeline.storage().caches().ready().await;
        bootstrap::ensure(&house.core.pipeline).await.expect("bootstrapped");
        for object in furniture() {
            house.put(object).await;
        }
        house.world().await;
        let (pipeline, core) = (&house.core.pipeline, &house.core);
        authz::follow::follow(pipeline.storage(), pipeline.kinds(), &core.rbac, &core.node, &house.tasks).await;
        house
    }

    pub(super) fn fronts(&self) -> Fronts {
        let fronts = app::fronts(&self.core, &self.tasks, &Health::default(), self.metrics.clone(), "10.0.0.1:6443");
        fronts.expect("descriptors")
    }

    /// All that is decided by, as it is stored now.
    pub(super) async fn world(&self) -> World {
        let rbac = async |plural| self.list("rbac.authorization.k8s.io", plural).await;
        World {
            cluster_roles: rbac("clusterroles").await,
            roles: rbac("roles").await,
            cluster_role_bindings: rbac("clusterrolebindings").await,
            role_bindings: rbac("rolebindings").await,
            pods: self.list("", "pods").await,
            volumes: self.list("", "persistentvolumes").await,
            attachments: self.list("storage.k8s.io", "volumeattachments").await,
            slices: self.list("resource.k8s.io", "resourceslices").await,
        }
    }

    pub(super) async fn uid(&self, namespace: &str, account: &str) -> String {
        let accounts = self.list("", "serviceaccounts").await;
        let found =
            accounts.iter().find(|a| a["metadata"]["namespace"] == namespace && a["metadata"]["name"] == account);
        found.and_then(|a| a["metadata"]["uid"].as_str()).expect("an account").to_owned()
    }

    async fn list(&self, group: &str, plural: &str) -> Vec<Value> {
        let target = ResourceTarget { gvr: GroupVersionResource::new(group, "v1", plural), ..Default::default() };
        let response = self.core.pipeline.internal(target, Action::List(ListOptions::default())).await;
        match response.expect("a list").answer {
            Answer::List { items, .. } => {
                items.iter().map(|item| serde_json::from_slice(item.json()).expect("JSON")).collect()
            }
            _ => panic!("a list answers with a list"),
        }
    }

    async fn put(&self, value: Value) {
        let object = Object::from_value(value).expect("an object");
        let kind = self.core.pipeline.kinds().by_kind(&object.gvk().expect("a kind")).expect("served");
        let namespace = object.namespace().to_owned();
        let target = ResourceTarget { gvr: kind.info.gvr(), namespace, ..Default::default() };
        let told = object.name().to_owned();
        let write = Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
        let made = self.core.pipeline.internal(target, Action::Create(write)).await;
        made.unwrap_or_else(|status| panic!("{} {told}: {status}", kind.info.plural));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

fn furniture() -> Vec<Value> {
    let mut all = Vec::new();
    for (namespace, account) in [("blue", "worker"), ("green", "runner")] {
        all.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
        all.push(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}}));
    }
    let data =
        json!({"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true"});
    all.push(json!({"apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token", "stringData": data,
        "metadata": {"name": "bootstrap-token-abcdef", "namespace": "kube-system"}}));
    all.extend(grants());
    all.extend(pods());
    all.extend(volumes());
    all
}

/// Roles of our own, and who has which.
fn grants() -> Vec<Value> {
    let role = |kind: &str, name: &str, namespace: Option<&str>, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace, "labels": {"part": name}}, "rules": rules})
    };
    let mut gathered = role("ClusterRole", "gathered", None, json!([]));
    gathered["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"part": "scaler"}},
        {"matchLabels": {"part": "actor"}}]});
    let mut grants = vec![
        role("Role", "wild", Some("blue"), json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])),
        role(
            "Role",
            "one",
            Some("blue"),
            json!([{"apiGroups": [""], "resources": ["configmaps"],
            "resourceNames": ["only"], "verbs": ["get", "list", "watch", "update", "create"]}]),
        ),
        role("ClusterRole", "scaler", None, json!([{"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["*"]}])),
        role(
            "ClusterRole",
            "actor",
            None,
            json!([
            {"apiGroups": [""], "resources": ["users"], "resourceNames": ["vi"], "verbs": ["impersonate"]},
            {"apiGroups": [""], "resources": ["groups"], "resourceNames": ["blue-editors"], "verbs": ["impersonate"]},
            {"nonResourceURLs": ["/logs/*"], "verbs": ["get"]}]),
        ),
        gathered,
    ];
    let user = |name: &str| json!({"kind": "User", "name": name});
    let account = json!({"kind": "ServiceAccount", "name": "worker"});
    let foreign = json!({"kind": "ServiceAccount", "namespace": "green", "name": "runner"});
    let bindings = [
        ("", "ClusterRole", "cluster-admin", user("root")),
        ("", "ClusterRole", "scaler", user("scaler")),
        ("", "ClusterRole", "actor", user("actor")),
        ("", "ClusterRole", "gathered", user("gatherer")),
        ("blue", "ClusterRole", "admin", user("ada")),
        ("blue", "ClusterRole", "edit", json!({"kind": "Group", "name": "blue-editors"})),
        ("blue", "ClusterRole", "view", user("vi")),
        ("blue", "Role", "wild", user("wild")),
        ("blue", "Role", "one", user("one")),
        ("green", "Role", "missing", user("nobody")),
        ("blue", "ClusterRole", "edit", account),
        ("blue", "ClusterRole", "view", foreign),
    ];
    grants.extend(bindings.into_iter().enumerate().map(|(number, (namespace, kind, name, subject))| {
        let bound = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
        let place = (!namespace.is_empty()).then_some(namespace);
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": bound, "subjects": [subject],
            "metadata": {"name": format!("matrix-{number}"), "namespace": place},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}})
    }));
    grants
}

fn pods() -> Vec<Value> {
    let meta = |name: &str, namespace: &str| json!({"name": name, "namespace": namespace});
    let pod = |name: &str, namespace: &str, account: &str, node: Option<&str>| {
        let of = |what: &str| format!("{name}-{what}");
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta(name, namespace), "spec": {
            "serviceAccountName": account, "nodeName": node,
            "resourceClaims": [{"name": "d", "resourceClaimName": of("device")}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": of("data")}},
                {"name": "config", "configMap": {"name": of("config")}}],
            "containers": [{"name": "c", "image": "i",
                "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": of("secret"), "key": "k"}}}]}]}})
    };
    let mirror = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"nodeName": "a", "containers": [{"name": "c", "image": "i"}]},
        "metadata": {"name": "static-a", "namespace": "blue", "annotations": {"kubernetes.io/config.mirror": "x"}}});
    let node = |name: &str| json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
    let mut all: Vec<Value> = ["a", "b"].map(node).into();
    all.extend(["web", "idle"].map(|name| pod(name, "blue", "worker", (name == "web").then_some("a"))));
    all.push(pod("api", "green", "runner", Some("b")));
    all.push(mirror);
    all.extend(["web", "idle"].map(
        |name| json!({"apiVersion": "v1", "kind": "Secret", "metadata": meta(&format!("{name}-secret"), "blue")}),
    ));
    all
}

fn volumes() -> Vec<Value> {
    let volume = |name: &str, claim: Value| {
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "claimRef": claim,
            "hostPath": {"path": "/x"}}})
    };
    let attached = |node: &str| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": format!("attached-{node}")},
            "spec": {"attacher": "x.example", "nodeName": node, "source": {"persistentVolumeName": "web-volume"}}})
    };
    let slice = |node: &str| {
        json!({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": format!("slice-{node}")},
            "spec": {"driver": "x.example", "nodeName": node, "pool": {"name": node, "generation": 1, "resourceSliceCount": 1}}})
    };
    let claim =
        |namespace: &str, name: &str| json!({"namespace": namespace, "name": name, "kind": "PersistentVolumeClaim"});
    let mut all = vec![
        volume("web-volume", claim("blue", "web-data")),
        volume("api-volume", claim("green", "api-data")),
        volume("free-volume", Value::Null),
    ];
    all.extend(["a", "b"].map(attached));
    all.extend(["a", "b"].map(slice));
    all
}
