//! ServiceAccount: a pod has an account, its token is mounted unless somebody says no, and it pulls
//! with the account's secrets.

use std::time::Duration;

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::ServiceAccount as Account;
use nakhoda_api::{GroupVersionResource, Object, Status};
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin};
use crate::verb::{get, meta};

const PREFIX: &str = "kube-api-access-";
const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The account `default` of a new namespace is made by a controller: it is waited for this often.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(150);

/// The plugin.
pub struct ServiceAccount;

impl Plugin for ServiceAccount {
    fn name(&self) -> &'static str {
        "ServiceAccount"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, pod: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            if is_mirror(pod) {
                return Ok(());
            }
            let name = pod.str_at(&["spec", "serviceAccountName"]).unwrap_or("default").to_owned();
            // the field has two names, and every later write carries both
            for field in ["serviceAccountName", "serviceAccount"] {
                pod.set_at(&["spec", field], name.clone().into());
            }
            let account = find(attributes, pod, &name).await?;
            if automounts(&account, pod) {
                mount(pod);
            }
            pull_secrets(&account, pod);
            Ok(())
        })
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        pod: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(pod) = pod.filter(|pod| is_mirror(pod)) else { return Ok(()) };
            if pod.str_at(&["spec", "serviceAccountName"]).is_some() {
                return Err(attributes.forbidden(Some(pod), "a mirror pod may not reference service accounts"));
            }
            let secrets = list(pod, "volumes").iter().any(|volume| volume.get("secret").is_some());
            if secrets { Err(attributes.forbidden(Some(pod), "a mirror pod may not reference secrets")) } else { Ok(()) }
        })
    }
}

fn is_mirror(pod: &Object) -> bool {
    pod.annotations().any(|(key, _)| key == MIRROR)
}

async fn find(attributes: &Attributes<'_>, pod: &Object, name: &str) -> Result<Account, Status> {
    let (pipeline, namespace) = (&attributes.call.pipeline, attributes.call.namespace());
    let storage = pipeline.storage();
    if let Some(account) = storage.get::<Account>(namespace, name) {
        return Ok(account);
    }
    let tries = if name == "default" { TRIES } else { 1 };
    for attempt in 0..tries {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let accounts = GroupVersionResource::new("", "v1", "serviceaccounts");
        if let Some(kind) = pipeline.kinds().get(&accounts) {
            get::snapshot(&attributes.call.on(&kind, namespace, name), "").await?;
        }
        if let Some(account) = storage.get::<Account>(namespace, name) {
            return Ok(account);
        }
    }
    let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
    Err(attributes.forbidden(Some(pod), &why))
}

fn automounts(account: &Account, pod: &Object) -> bool {
    let asked = pod.at(&["spec", "automountServiceAccountToken"]).and_then(Value::as_bool);
    asked.or(account.automount_service_account_token).unwrap_or(true)
}

fn list(pod: &Object, field: &str) -> Vec<Value> {
    pod.at(&["spec", field]).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn mount(pod: &mut Object) {
    let mut volumes = list(pod, "volumes");
    let known = volumes.iter().filter_map(|v| v["name"].as_str()).find(|name| name.starts_with(PREFIX)).map(str::to_owned);
    let name = known.clone().unwrap_or_else(|| format!("{PREFIX}{}", meta::random(5)));
    let mut needed = false;
    for field in ["initContainers", "containers"] {
        let mut containers = list(pod, field);
        for container in &mut containers {
            needed |= mount_in(container, &name);
        }
        if !containers.is_empty() {
            pod.set_at(&["spec", field], containers.into());
        }
    }
    if needed && known.is_none() {
        volumes.push(volume(&name));
        pod.set_at(&["spec", "volumes"], volumes.into());
    }
}

/// Whether the container took the mount: one that has something at the path keeps it.
fn mount_in(container: &mut Value, name: &str) -> bool {
    let Value::Object(container) = container else { return false };
    let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
    let Value::Array(mounts) = mounts else { return false };
    if mounts.iter().any(|mount| mount["mountPath"] == PATH) {
        return false;
    }
    mounts.push(json!({"name": name, "readOnly": true, "mountPath": PATH}));
    true
}

fn volume(name: &str) -> Value {
    json!({"name": name, "projected": {"sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [
            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
        ]}},
    ], "defaultMode": 420}})
}

fn pull_secrets(account: &Account, pod: &mut Object) {
    let secrets = account.image_pull_secrets.as_deref().unwrap_or_default();
    if list(pod, "imagePullSecrets").is_empty() && !secrets.is_empty() {
        let names: Vec<Value> = secrets.iter().map(|secret| json!({"name": secret.name})).collect();
        pod.set_at(&["spec", "imagePullSecrets"], names.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_with_a_mount_of_its_own_keeps_it() {
        let mut pod = Object::from_value(json!({"spec": {"containers": [
            {"name": "a"}, {"name": "b", "volumeMounts": [{"name": "x", "mountPath": PATH}]},
        ]}}))
        .expect("an object");
        mount(&mut pod);
        let containers = list(&pod, "containers");
        assert_eq!(containers[0]["volumeMounts"][0]["mountPath"], PATH);
        assert_eq!(containers[1]["volumeMounts"].as_array().map(Vec::len), Some(1));
        assert_eq!(list(&pod, "volumes")[0]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"], 3607);
    }
}
