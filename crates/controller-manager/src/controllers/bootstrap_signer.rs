//! `kube-public/cluster-info` tells strangers where the cluster is and whom to trust, signed by each bootstrap
//! token, so that who knows one can tell it from a forgery.
//!
//! Runs only with `--root-ca-file` and `--advertise-apiserver`.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_api::kinds::core::{ConfigMap, Secret};
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Result, Selection};
use nakhoda_daemon::pki::join::Token;

use crate::clock;
use crate::context::{Context, Watches};

pub mod info;

const NAME: &str = "bootstrap_signer";
const NAMESPACE: &str = "kube-system";
const TYPE: &str = "bootstrap.kubernetes.io/token";
/// Where strangers look.
const INFO: (&str, &str) = ("kube-public", "cluster-info");

/// Starts the controller.
pub fn start(cx: &Context) {
    let (Some(authority), Some(server)) = (cx.material.root_ca.as_deref(), cx.options.advertise_apiserver.first()) else {
        tracing::warn!("no --root-ca-file or no --advertise-apiserver: no machine can join by a token");
        return;
    };
    let kubeconfig = info::kubeconfig(server, authority);
    let of_type = Selection::fields(format!("type={TYPE}"));
    let secrets = cx.informers.select::<Secret>(Some(NAMESPACE), of_type);
    let named = Selection::fields(format!("metadata.name={}", INFO.1));
    let maps = cx.informers.select::<ConfigMap>(Some(INFO.0), named);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&secrets, |_: &Secret| vec![Key::new(INFO.0, INFO.1)]);
    watches.on(&maps, |m: &ConfigMap| vec![Key::of(m)]);
    watches.queue().add(Key::new(INFO.0, INFO.1));
    watches.run(1, Signer { cx: cx.clone(), kubeconfig, secrets, maps });
}

struct Signer {
    cx: Context,
    kubeconfig: String,
    secrets: Informer<Secret>,
    maps: Informer<ConfigMap>,
}

// === impl Signer ===

impl Reconcile for Signer {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let now = clock::now();
        let tokens = self.secrets.list().into_iter().filter_map(|s| info::signing(&s, now));
        let data = info::data(&self.kubeconfig, tokens.collect::<Vec<Token>>().iter());
        let api = self.cx.client.namespaced::<ConfigMap>(&key.namespace);
        match self.maps.get(key) {
            Some(map) if map.data.as_ref() == Some(&data) => {}
            Some(map) => drop(api.update(&with(map, data)).await?),
            None => match api.create(&fresh(key, data)).await {
                Err(error) if error.is_already_exists() => {}
                written => drop(written?),
            },
        }
        Ok(Outcome::Done)
    }
}

fn with(map: Arc<ConfigMap>, data: BTreeMap<String, String>) -> ConfigMap {
    ConfigMap { data: Some(data), ..Arc::unwrap_or_clone(map) }
}

fn fresh(key: &Key, data: BTreeMap<String, String>) -> ConfigMap {
    let mut map = ConfigMap { data: Some(data), ..ConfigMap::default() };
    map.metadata.name = Some(key.name.clone());
    map.metadata.namespace = Some(key.namespace.clone());
    map
}
