//! Every namespace has a service account `default`.

use nakhoda_api::kinds::core::{Namespace, ServiceAccount};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::pod_control::is_namespace_terminating;

const NAME: &str = "serviceaccount";
/// The account of pods that name none.
const DEFAULT: &str = "default";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (namespaces, accounts) = (cx.informers.of::<Namespace>(), cx.informers.of::<ServiceAccount>());
    let mut watches = Watches::new(cx, NAME);
    watches.on(&namespaces, |n: &Namespace| vec![Key::of(n)]);
    watches.on(&accounts, |a: &ServiceAccount| namespace_of(a));
    watches.run(2, Accounts { cx: cx.clone(), namespaces, accounts });
}

struct Accounts {
    cx: Context,
    namespaces: Informer<Namespace>,
    accounts: Informer<ServiceAccount>,
}

// === impl Accounts ===

impl Reconcile for Accounts {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let lives = self.namespaces.get(key).is_some_and(|n| is_active(&n));
        if !lives || self.accounts.get(&Key::new(&key.name, DEFAULT)).is_some() {
            return Ok(Outcome::Done);
        }
        match self.cx.client.namespaced::<ServiceAccount>(&key.name).create(&account(&key.name)).await {
            Err(error) if error.is_already_exists() || is_namespace_terminating(&error) => Ok(Outcome::Done),
            Err(error) => Err(error),
            Ok(_) => Ok(Outcome::Done),
        }
    }
}

/// Whether things may still be made in a namespace.
#[must_use]
pub fn is_active(namespace: &Namespace) -> bool {
    let phase = namespace.status.as_ref().and_then(|s| s.phase.as_deref());
    !namespace.is_terminating() && phase != Some("Terminating")
}

fn account(namespace: &str) -> ServiceAccount {
    let (name, namespace) = (Some(DEFAULT.into()), Some(namespace.into()));
    ServiceAccount { metadata: ObjectMeta { name, namespace, ..ObjectMeta::default() }, ..ServiceAccount::default() }
}

fn namespace_of(account: &ServiceAccount) -> Vec<Key> {
    if account.name() == DEFAULT { vec![Key::new("", account.namespace())] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_default_account_wakes_its_namespace() {
        let mut account = account("shop");
        assert_eq!(namespace_of(&account), [Key::new("", "shop")]);
        account.metadata.name = Some("other".into());
        assert!(namespace_of(&account).is_empty());
    }
}
