//! Endpoints of services with a selector, as programs older than endpoint slices read them.

use std::sync::Arc;

use nakhoda_api::kinds::core::{Endpoints, Pod, Service};
use nakhoda_client::{EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};

use crate::backends;
use crate::context::{Context, Watches};
use crate::pod_control::{exactly, is_namespace_terminating};
use crate::selector::matches_all;

pub mod plan;

const NAME: &str = "endpoints";
const WORKERS: usize = 5;
/// The annotation of Endpoints that serve as a lock.
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (services, pods) = (cx.informers.of::<Service>(), cx.informers.of::<Pod>());
    let endpoints = cx.informers.of::<Endpoints>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&services, |s: &Service| vec![Key::of(s)]);
    watches.on(&endpoints, |e: &Endpoints| vec![Key::of(e)]);
    let all = services.clone();
    watches.on_change(&pods, move |change| backends::affected(&all, change));
    let recorder = cx.recorder("endpoint-controller");
    watches.run(WORKERS, Controller { cx: cx.clone(), recorder, services, pods, endpoints });
}

struct Controller {
    cx: Context,
    recorder: Recorder,
    services: Informer<Service>,
    pods: Informer<Pod>,
    endpoints: Informer<Endpoints>,
}

// === impl Controller ===

impl Reconcile for Controller {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let current = self.endpoints.get(key);
        match self.services.get(key) {
            Some(service) => self.bring(&service, current).await?,
            None => self.remove(current).await?,
        }
        Ok(Outcome::Done)
    }
}

impl Controller {
    async fn bring(&self, service: &Arc<Service>, current: Option<Arc<Endpoints>>) -> Result<()> {
        let Some(spec) = backends::selecting(service) else { return Ok(()) };
        let selected = |pod: &Arc<Pod>| matches_all(spec.selector.as_ref(), pod.metadata.labels.as_ref());
        let pods: Vec<_> = self.pods.in_namespace(service.namespace()).into_iter().filter(selected).collect();
        let wanted = plan::endpoints(service, spec, &pods, current.as_deref());
        let api = self.cx.client.namespaced::<Endpoints>(service.namespace());
        let (written, failure) = match current {
            Some(current) if *current == wanted => return Ok(()),
            Some(_) => (api.update(&wanted).await, ("FailedToUpdateEndpoint", "Failed to update endpoint")),
            None => (api.create(&wanted).await, ("FailedToCreateEndpoint", "Failed to create endpoint for service")),
        };
        match written {
            Ok(_) => Ok(()),
            // The cache lags, and will wake this key again when it has caught up.
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) if is_namespace_terminating(&error) => Ok(()),
            Err(error) if error.is_conflict() => Err(error),
            Err(error) => {
                let message = format!("{} {}/{}: {error}", failure.1, service.namespace(), service.name());
                self.recorder.event(&reference(&wanted), EventType::Warning, failure.0, message);
                Err(error)
            }
        }
    }

    /// The service is gone. Endpoints without one are a person's, or a lock.
    async fn remove(&self, current: Option<Arc<Endpoints>>) -> Result<()> {
        let Some(endpoints) = current else { return Ok(()) };
        let locks = endpoints.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(LEADER));
        if locks || !plan::is_ours(&endpoints) {
            return Ok(());
        }
        let api = self.cx.client.namespaced::<Endpoints>(endpoints.namespace());
        match api.delete(endpoints.name(), &exactly(&*endpoints)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
