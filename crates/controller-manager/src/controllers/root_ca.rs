//! Every namespace has a ConfigMap `kube-root-ca.crt` with the authority that pods trust.
//!
//! Runs only with `--root-ca-file`.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{ConfigMap, Namespace};
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Resource, Result, Selection};

use super::service_account::is_active;
use crate::context::{Context, Watches};
use crate::pod_control::is_namespace_terminating;

const NAME: &str = "root-ca-certificate-publisher";
const MAP: &str = "kube-root-ca.crt";
const CERTIFICATE: &str = "ca.crt";
const DESCRIPTION: &str = "kubernetes.io/description";
const TEXT: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints \
                    such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
                    distributions of Kubernetes clusters.";

/// Starts the controller.
pub fn start(cx: &Context) {
    let Some(root_ca) = cx.material.root_ca.clone() else {
        tracing::warn!("no --root-ca-file: pods get no {MAP}");
        return;
    };
    let namespaces = cx.informers.of::<Namespace>();
    let maps = cx.informers.select::<ConfigMap>(None, Selection::fields(format!("metadata.name={MAP}")));
    let mut watches = Watches::new(cx, NAME);
    watches.on(&namespaces, |n: &Namespace| vec![Key::of(n)]);
    watches.on(&maps, |m: &ConfigMap| vec![Key::new("", m.namespace())]);
    watches.run(2, Publisher { cx: cx.clone(), root_ca, namespaces, maps });
}

struct Publisher {
    cx: Context,
    root_ca: String,
    namespaces: Informer<Namespace>,
    maps: Informer<ConfigMap>,
}

// === impl Publisher ===

impl Reconcile for Publisher {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        if !self.namespaces.get(key).is_some_and(|n| is_active(&n)) {
            return Ok(Outcome::Done);
        }
        let api = self.cx.client.namespaced::<ConfigMap>(&key.name);
        let written = match self.maps.get(&Key::new(&key.name, MAP)) {
            None => api.create(&publish(ConfigMap::default(), &key.name, &self.root_ca)).await,
            Some(map) if is_right(&map, &self.root_ca) => return Ok(Outcome::Done),
            Some(map) => api.update(&publish((*map).clone(), &key.name, &self.root_ca)).await,
        };
        match written {
            Err(error) if error.is_not_found() || is_namespace_terminating(&error) => Ok(Outcome::Done),
            Err(error) if error.is_already_exists() => Ok(Outcome::Done),
            Err(error) => Err(error),
            Ok(_) => Ok(Outcome::Done),
        }
    }
}

fn data(root_ca: &str) -> BTreeMap<String, String> {
    [(CERTIFICATE.to_owned(), root_ca.to_owned())].into()
}

fn is_right(map: &ConfigMap, root_ca: &str) -> bool {
    let described = map.metadata.annotations.as_ref().and_then(|a| a.get(DESCRIPTION)).is_some_and(|d| !d.is_empty());
    map.data.as_ref() == Some(&data(root_ca)) && described
}

fn publish(mut map: ConfigMap, namespace: &str, root_ca: &str) -> ConfigMap {
    map.metadata.name = Some(MAP.into());
    map.metadata.namespace = Some(namespace.into());
    map.metadata.annotations.get_or_insert_default().insert(DESCRIPTION.into(), TEXT.into());
    map.data = Some(data(root_ca));
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_was_changed_is_set_right() {
        let mut map = publish(ConfigMap::default(), "shop", "CA");
        assert!(is_right(&map, "CA") && !is_right(&map, "another"));
        map.data.get_or_insert_default().insert("more".into(), String::new());
        assert!(!is_right(&map, "CA") && is_right(&publish(map, "shop", "CA"), "CA"));
    }
}
