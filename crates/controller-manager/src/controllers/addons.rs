//! The cluster's own parts that run as pods: the proxy and the name server of every node. Their
//! manifests are in this program, so that they always fit it; it makes them, and renews them when they
//! or the flags have changed.
//!
//! A field that a person added stays; one that a manifest sets is set again. Absent: removal of what an
//! older program made and a newer one does not have.

use std::time::Duration;

use nakhoda_api::Object;
use nakhoda_client::{DynamicApi, Key, Outcome, Patch, Reconcile, Result};

use crate::context::{Context, Watches};
use crate::served::Served;

pub mod manifest;

use manifest::{Facts, HASH, Manifest};

const NAME: &str = "addons";
/// How often what was made is looked at.
const AGAIN: Duration = Duration::from_secs(300);

/// Starts the controller.
pub fn start(cx: &Context) {
    if cx.options.no_addons {
        return;
    }
    if cx.options.advertise_apiserver.is_empty() {
        tracing::warn!("no --advertise-apiserver: nodes get neither proxy nor dns");
        return;
    }
    let facts = Facts::of(&cx.options);
    let watches = Watches::new(cx, NAME);
    manifest::ALL.iter().for_each(|(name, _)| watches.queue().add(Key::new("", *name)));
    watches.run(1, Addons { cx: cx.clone(), facts });
}

struct Addons {
    cx: Context,
    facts: Facts,
}

// === impl Addons ===

impl Reconcile for Addons {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let served = Served::all(&self.cx.client.discover().await?);
        for manifest in manifest::load(&key.name, &self.facts) {
            self.apply(&served, &manifest).await?;
        }
        Ok(Outcome::After(AGAIN))
    }
}

impl Addons {
    async fn apply(&self, served: &[Served], manifest: &Manifest) -> Result<()> {
        let Some(api) = self.api(served, &manifest.object) else {
            tracing::warn!(kind = manifest.object.kind(), "the API server does not serve a part of the cluster");
            return Ok(());
        };
        let name = manifest.object.name();
        let written = match api.get(name).await {
            Ok(there) if there.annotations().any(|(k, v)| k == HASH && v == manifest.hash) => return Ok(()),
            Ok(_) => api.patch(name, &Patch::merge(&manifest.object.clone().into_value())).await,
            Err(error) if error.is_not_found() => api.create(&manifest.object).await,
            Err(error) => return Err(error),
        };
        tracing::info!(kind = manifest.object.kind(), name, "brought up to date");
        written.map(drop)
    }

    fn api(&self, served: &[Served], object: &Object) -> Option<DynamicApi> {
        let gvk = object.gvk()?;
        let kind = served.iter().find(|s| s.kind == gvk.kind && s.gvr.group == gvk.group)?;
        Some(self.cx.client.dynamic(&kind.gvr, kind.namespaced.then(|| object.namespace())))
    }
}
