//! Makes the claim of each generic ephemeral volume; it goes with its pod.

use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod, Volume};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::{Reason, Status};
use nakhoda_client::{Change, Error, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, owner};

use crate::context::{Context, Watches};
use crate::told::Told;
use crate::volumes::{ephemeral_name, is_for, of};

const NAME: &str = "ephemeral_volume";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (pods, claims) = (cx.informers.of::<Pod>(), cx.informers.of::<PersistentVolumeClaim>());
    let mut watches = Watches::new(cx, NAME);
    watches.on(&pods, |pod: &Pod| if wants_claim(pod) { vec![Key::of(pod)] } else { Vec::new() });
    watches.on_change(&claims, deleted);
    let recorder = cx.recorder("ephemeral_volume");
    watches.run(2, Ephemeral { cx: cx.clone(), pods, claims, recorder });
}

struct Ephemeral {
    cx: Context,
    pods: Informer<Pod>,
    claims: Informer<PersistentVolumeClaim>,
    recorder: Recorder,
}

// === impl Ephemeral ===

impl Reconcile for Ephemeral {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(pod) = self.pods.get(key).filter(|pod| wants_claim(pod)) else { return Ok(Outcome::Done) };
        for volume in of(&pod).filter(|v| v.ephemeral.is_some()) {
            self.make(&pod, volume).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Ephemeral {
    async fn make(&self, pod: &Pod, volume: &Volume) -> Result<()> {
        let Some(claim) = build(pod, volume) else { return Ok(()) };
        if let Some(there) = self.claims.get(&Key::of(&claim)) {
            return if is_for(&there, pod) { Ok(()) } else { Err(foreign(&there, pod)) };
        }
        match self.cx.client.namespaced::<PersistentVolumeClaim>(pod.namespace()).create(&claim).await {
            Err(error) if !error.is_already_exists() => {
                let message = format!("ephemeral volume {}: create PVC {}: {error}", volume.name, claim.name());
                Told::warning("FailedBinding", message).about(pod, &self.recorder);
                Err(error)
            }
            outcome => outcome.map(drop),
        }
    }
}

/// A pod that is going needs no more claims.
fn wants_claim(pod: &Pod) -> bool {
    !pod.is_terminating() && of(pod).any(|v| v.ephemeral.is_some())
}

fn build(pod: &Pod, volume: &Volume) -> Option<PersistentVolumeClaim> {
    let template = volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?;
    let meta = template.metadata.clone().unwrap_or_default();
    let metadata = ObjectMeta {
        name: Some(ephemeral_name(pod, volume)),
        namespace: pod.metadata.namespace.clone(),
        labels: meta.labels,
        annotations: meta.annotations,
        owner_references: Some(vec![owner(pod)]),
        ..ObjectMeta::default()
    };
    Some(PersistentVolumeClaim { metadata, spec: Some(template.spec.clone()), status: None })
}

fn foreign(claim: &PersistentVolumeClaim, pod: &Pod) -> Error {
    let text = format!(
        "PVC {} was not created for pod {} (pod is not owner)",
        Key::of(claim),
        Key::of(pod)
    );
    Status::failure(409, Reason::Conflict, text).into()
}

/// The pod whose claim is gone.
fn deleted(change: &Change<PersistentVolumeClaim>) -> Vec<Key> {
    let Change::Deleted(claim) = change else { return Vec::new() };
    let pod = claim.controller().filter(|o| o.kind == "Pod");
    pod.map(|o| Key::new(claim.namespace(), &o.name)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures;
    use nakhoda_api::kinds::core::{EphemeralVolumeSource, PersistentVolumeClaimTemplate};

    #[test]
    fn a_claim_is_named_after_pod_and_volume_and_owned_by_the_pod() {
        let template = PersistentVolumeClaimTemplate::default();
        let source = EphemeralVolumeSource { volume_claim_template: Some(template) };
        let volume = Volume { name: "scratch".into(), ephemeral: Some(source), ..Volume::default() };
        let pod = fixtures::pod("a", "10.0.0.1", true);
        let claim = build(&pod, &volume).expect("it has a template");
        assert_eq!(claim.name(), "a-scratch");
        assert!(is_for(&claim, &pod));
        assert_eq!(deleted(&Change::Deleted(std::sync::Arc::new(claim))), [Key::of(&pod)]);
    }
}
