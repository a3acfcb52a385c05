//! Deletes the tokens of service accounts that were made by themselves, in Secrets, and that nobody uses any more: a
//! year unused they are marked, a year later they go (`pkg/controller/serviceaccount`, legacy token cleaner). The
//! API servers note when a token was used last, and since when they do.

use std::time::Duration;

use nakhoda_api::kinds::core::{ConfigMap, Pod, Secret, ServiceAccount};
use nakhoda_client::{Client, Informer, Key, Outcome, Patch, Reconcile, Resource, Result, Selection};
use serde_json::{Value, json};

use crate::clock;
use crate::context::{Context, Watches};

pub mod plan;

use plan::{Step, Use};

const NAME: &str = "legacy-service-account-token-cleaner";
const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";
/// Where the API servers tell since when they note the use of tokens.
const TRACKING: (&str, &str) = ("kube-system", "kube-apiserver-legacy-service-account-token-tracking");
/// How often a token is looked at.
const LOOK: Duration = Duration::from_secs(24 * 3600);

/// Starts the controller.
pub fn start(cx: &Context) {
    let secrets = cx.informers.select::<Secret>(None, Selection::fields(format!("type={TYPE}")));
    let (accounts, pods) = (cx.informers.of::<ServiceAccount>(), cx.informers.of::<Pod>());
    let selection = Selection::fields(format!("metadata.name={}", TRACKING.1));
    let tracking = cx.informers.select::<ConfigMap>(Some(TRACKING.0), selection);
    let mut watches = Watches::new(cx, NAME);
    watches.reads(&accounts);
    watches.reads(&pods);
    watches.reads(&tracking);
    watches.on(&secrets, |secret: &Secret| vec![Key::of(secret)]);
    let unused = cx.options.legacy_service_account_token_clean_up_period;
    watches.run(1, Cleaner { client: cx.client.clone(), secrets, accounts, pods, tracking, unused });
}

struct Cleaner {
    client: Client,
    secrets: Informer<Secret>,
    accounts: Informer<ServiceAccount>,
    pods: Informer<Pod>,
    tracking: Informer<ConfigMap>,
    unused: jiff::SignedDuration,
}

// === impl Cleaner ===

impl Reconcile for Cleaner {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(secret) = self.secrets.get(key).filter(|s| !s.is_terminating()) else { return Ok(Outcome::Done) };
        let tracking = self.tracking.get(&Key::new(TRACKING.0, TRACKING.1));
        let since = tracking.as_ref().and_then(|map| map.data.as_ref()?.get("since").map(String::as_str));
        let used = Use { since, is_own: self.is_own(&secret), is_mounted: self.is_mounted(&secret) };
        let api = self.client.namespaced::<Secret>(&key.namespace);
        let written = match plan::step(&secret, used, clock::now(), self.unused) {
            Step::Keep => return Ok(Outcome::After(LOOK)),
            Step::Mark(today) => {
                let labels = json!({plan::INVALID_SINCE: today});
                let patch = Patch::merge(&json!({"metadata": {"uid": secret.uid(), "labels": labels}}));
                api.patch(&key.name, &patch).await.map(drop)
            }
            Step::Delete => api.delete(&key.name, &unchanged(&secret)).await.map(drop),
        };
        match written {
            Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error),
            _ => Ok(Outcome::After(LOOK)),
        }
    }
}

impl Cleaner {
    /// Whether the token was made by itself: its account names its Secret.
    fn is_own(&self, secret: &Secret) -> bool {
        let annotation = |key: &str| secret.metadata.annotations.as_ref().and_then(|all| all.get(key));
        let Some(name) = annotation(ACCOUNT) else { return false };
        let account = self.accounts.get(&Key::new(secret.namespace(), name));
        account.is_some_and(|account| {
            annotation(ACCOUNT_UID).is_none_or(|uid| uid.is_empty() || uid == account.uid())
                && account.secrets.iter().flatten().any(|one| one.name.as_deref() == Some(secret.name()))
        })
    }

    fn is_mounted(&self, secret: &Secret) -> bool {
        let names = |pod: &Pod| {
            let spec = serde_json::to_value(&pod.spec);
            spec.is_ok_and(|spec| refers(&spec, secret.name()))
        };
        self.pods.in_namespace(secret.namespace()).iter().any(|pod| names(pod))
    }
}

/// Whether a pod's specification names a Secret, wherever it can.
fn refers(value: &Value, name: &str) -> bool {
    let is = |value: &Value| value.as_str() == Some(name) || value["name"].as_str() == Some(name);
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            let named = key.to_ascii_lowercase().contains("secret");
            (named && (is(value) || value.as_array().is_some_and(|all| all.iter().any(is)))) || refers(value, name)
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, name)),
        _ => false,
    }
}

/// Deletes the Secret as it was seen: whoever used its token since has changed it.
fn unchanged(secret: &Secret) -> nakhoda_api::kinds::meta::DeleteOptions {
    let mut options = crate::pod_control::exactly(secret);
    if let Some(preconditions) = &mut options.preconditions {
        preconditions.resource_version.clone_from(&secret.metadata.resource_version);
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_refers_to_secrets_in_many_places() {
        for spec in [
            json!({"imagePullSecrets": [{"name": "s"}]}),
            json!({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}),
            json!({"volumes": [{"projected": {"sources": [{"secret": {"name": "s"}}]}}]}),
            json!({"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}),
            json!({"containers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]}),
            json!({"volumes": [{"csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]}),
        ] {
            assert!(refers(&spec, "s"), "{spec}");
            assert!(!refers(&spec, "other"), "{spec}");
        }
        assert!(!refers(&json!({"volumes": [{"name": "s", "configMap": {"name": "s"}}]}), "s"));
    }
}
