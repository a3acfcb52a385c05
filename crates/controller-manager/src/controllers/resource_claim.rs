//! Resource claims: those that pods get of templates are made, and what nobody uses any more is given back.
//!
//! The scheduler allocates and reserves. A pod that came to its node past the scheduler is entered here among the users
//! of what is allocated. Absent: claims that the pods of a PodGroup share.

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::resource::{ResourceClaim, ResourceClaimTemplate};
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Patch, Reconcile, Recorder, Resource, Result};
use serde_json::json;

use crate::context::{Context, Watches};
use crate::told::Told;

mod plan;
mod release;

const NAME: &str = "resource_claim";
const WORKERS: usize = 5;

/// Starts the controller.
pub fn start(cx: &Context) {
    let (pods, claims) = (cx.informers.of::<Pod>(), cx.informers.of::<ResourceClaim>());
    let templates = cx.informers.of::<ResourceClaimTemplate>();
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&pods, |change| if plan::runs(change.object()) { vec![change.key()] } else { Vec::new() });
    watches.on(&claims, plan::owning_pod);
    let all = pods.clone();
    watches.on_change(&templates, move |change| match change {
        Change::Added(template) => plan::waiting(&all, template),
        _ => Vec::new(),
    });
    let recorder = cx.recorder(NAME);
    release::start(cx, &pods, &claims);
    watches.run(WORKERS, Pods { client: cx.client.clone(), recorder, pods, claims, templates });
}

struct Pods {
    client: Client,
    recorder: Recorder,
    pods: Informer<Pod>,
    claims: Informer<ResourceClaim>,
    templates: Informer<ResourceClaimTemplate>,
}

// === impl Pods ===

impl Reconcile for Pods {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(pod) = self.pods.get(key).filter(|pod| plan::runs(pod)) else { return Ok(Outcome::Done) };
        let (claims, mut made) = (self.claims.in_namespace(&key.namespace), Vec::new());
        for (wanted, template) in plan::missing(&pod, &claims) {
            let name = match plan::made_for(&pod, &wanted, &claims) {
                Some(claim) => claim.name().to_owned(),
                None => match self.make(&pod, &wanted, &template).await? {
                    Some(name) => name,
                    // the template wakes the pod when it comes
                    None => continue,
                },
            };
            made.push(json!({"name": wanted, "resourceClaimName": name}));
        }
        if !made.is_empty() {
            let patch = Patch::strategic(&json!({"status": {"resourceClaimStatuses": made}}));
            let _: Pod = self.client.namespaced::<Pod>(&key.namespace).patch_sub(&key.name, "status", &patch).await?;
        }
        for claim in plan::to_reserve(&pod, &claims) {
            self.client.namespaced::<ResourceClaim>(&key.namespace).update_status(&claim).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Pods {
    async fn make(&self, pod: &Pod, wanted: &str, template: &str) -> Result<Option<String>> {
        let Some(there) = self.templates.get(&Key::new(pod.namespace(), template)) else {
            let why = format!("resourceclaimtemplate.resource.k8s.io {template:?} not found");
            let message = format!("PodResourceClaim {wanted}: resource claim template {template:?}: {why}");
            Told::warning("FailedResourceClaimCreation", message).about(pod, &self.recorder);
            return Ok(None);
        };
        let claim = plan::build(pod, wanted, &there);
        match self.client.namespaced::<ResourceClaim>(pod.namespace()).create(&claim).await {
            Ok(made) => Ok(Some(made.name().to_owned())),
            Err(error) => {
                let message = format!("PodResourceClaim {wanted}: create ResourceClaim : {error}");
                Told::warning("FailedResourceClaimCreation", message).about(pod, &self.recorder);
                Err(error)
            }
        }
    }
}
