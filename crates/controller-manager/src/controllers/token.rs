//! Secrets of type kubernetes.io/service-account-token: filled with a token of their account, and gone
//! with it.
//!
//! Runs only with `--service-account-private-key-file`.

use std::sync::Arc;

use k8s_openapi::ByteString;
use nakhoda_api::kinds::core::{Secret, ServiceAccount};
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Resource, Result, Selection};

use crate::context::{Context, Watches};
use crate::pod_control::exactly;

pub mod sign;

use sign::{Claims, Signer};

const NAME: &str = "serviceaccount-token";
/// The type of these Secrets.
const TYPE: &str = "kubernetes.io/service-account-token";
/// The annotation that names the account.
const ACCOUNT: &str = "kubernetes.io/service-account.name";
/// The annotation with the account's UID.
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

/// Starts the controller.
pub fn start(cx: &Context) {
    let Some(key) = &cx.material.token_key else {
        tracing::warn!("no --service-account-private-key-file: token Secrets stay empty");
        return;
    };
    let signer = match Signer::from_pem(key) {
        Ok(signer) => signer,
        Err(error) => return cx.tasks.fail(format!("--service-account-private-key-file: {error}")),
    };
    let accounts = cx.informers.of::<ServiceAccount>();
    let secrets = cx.informers.select::<Secret>(None, Selection::fields(format!("type={TYPE}")));
    let mut watches = Watches::new(cx, NAME);
    watches.on(&secrets, |s: &Secret| vec![Key::of(s)]);
    let all = secrets.clone();
    watches.on_change(&accounts, move |change| tokens(&all, change));
    watches.run(2, Tokens { cx: cx.clone(), signer, accounts, secrets });
}

struct Tokens {
    cx: Context,
    signer: Signer,
    accounts: Informer<ServiceAccount>,
    secrets: Informer<Secret>,
}

// === impl Tokens ===

impl Reconcile for Tokens {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(secret) = self.secrets.get(key).filter(|s| !s.is_terminating()) else { return Ok(Outcome::Done) };
        let Some(name) = annotation(&secret, ACCOUNT) else { return Ok(Outcome::Done) };
        let api = self.cx.client.namespaced::<Secret>(&key.namespace);
        let written = match self.account(&secret, name).await? {
            None => api.delete(&key.name, &exactly(&*secret)).await.map(drop),
            Some(account) => match fill(&secret, &account, self.cx.material.root_ca.as_deref(), &self.signer) {
                Some(filled) => api.update(&filled).await.map(drop),
                None => Ok(()),
            },
        };
        match written {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

impl Tokens {
    /// The account of a Secret; read live before it is called missing, because a cache may lag.
    async fn account(&self, secret: &Secret, name: &str) -> Result<Option<Arc<ServiceAccount>>> {
        let meant = |a: &ServiceAccount| annotation(secret, ACCOUNT_UID).is_none_or(|uid| uid == a.uid());
        let key = Key::new(secret.namespace(), name);
        if let Some(account) = self.accounts.get(&key).filter(|a| meant(a)) {
            return Ok(Some(account));
        }
        match self.cx.client.namespaced::<ServiceAccount>(&key.namespace).get(name).await {
            Ok(account) if meant(&account) => Ok(Some(Arc::new(account))),
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The Secret with what it lacks; nothing if it lacks nothing.
fn fill(secret: &Secret, account: &ServiceAccount, root_ca: Option<&str>, signer: &Signer) -> Option<Secret> {
    let mut filled = secret.clone();
    let data = filled.data.get_or_insert_default();
    if let Some(root_ca) = root_ca {
        data.insert("ca.crt".into(), ByteString(root_ca.as_bytes().to_vec()));
    }
    let is_empty = |value: Option<&ByteString>| value.is_none_or(|v| v.0.is_empty());
    if is_empty(data.get("namespace")) {
        data.insert("namespace".into(), ByteString(secret.namespace().as_bytes().to_vec()));
    }
    if is_empty(data.get("token")) {
        let claims = Claims::of(account, secret);
        data.insert("token".into(), ByteString(signer.sign(&claims).into_bytes()));
    }
    let annotations = filled.metadata.annotations.get_or_insert_default();
    annotations.insert(ACCOUNT_UID.into(), account.uid().into());
    (filled != *secret).then_some(filled)
}

/// The Secrets of an account that has come or gone.
fn tokens(secrets: &Informer<Secret>, change: &Change<ServiceAccount>) -> Vec<Key> {
    if matches!(change, Change::Updated { .. }) {
        return Vec::new();
    }
    let account = change.object();
    let mut own = secrets.in_namespace(account.namespace());
    own.retain(|s| annotation(s, ACCOUNT) == Some(account.name()));
    own.iter().map(|s| Key::of(&**s)).collect()
}

fn annotation<'a>(secret: &'a Secret, name: &str) -> Option<&'a str> {
    secret.metadata.annotations.as_ref()?.get(name).map(String::as_str).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_filled_once() {
        let mut secret = Secret::default();
        secret.metadata.name = Some("robot-token".into());
        secret.metadata.namespace = Some("shop".into());
        let mut account = ServiceAccount::default();
        account.metadata.name = Some("robot".into());
        account.metadata.namespace = Some("shop".into());
        account.metadata.uid = Some("u1".into());
        let signer = Signer::from_pem(&sign::tests::key()).expect("a key");
        let filled = fill(&secret, &account, Some("CA"), &signer).expect("it lacks all");
        let data = filled.data.clone().expect("filled");
        assert_eq!((data["ca.crt"].0.as_slice(), data["namespace"].0.as_slice()), (&b"CA"[..], &b"shop"[..]));
        assert_eq!(annotation(&filled, ACCOUNT_UID), Some("u1"));
        assert_eq!(fill(&filled, &account, Some("CA"), &signer), None);
    }
}
