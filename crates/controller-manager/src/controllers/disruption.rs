//! Disruption budgets: how many of the pods that one selects may be evicted now.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::policy::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use nakhoda_api::status::chain;
use nakhoda_client::{Client, Error, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};

use crate::context::{Context, Watches};
use crate::selector::{Labels, matches};

pub mod plan;
pub mod scale;
pub mod stale;

use scale::{Scales, Unknown};

const NAME: &str = "disruption";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (budgets, pods) = (cx.informers.of::<PodDisruptionBudget>(), cx.informers.of::<Pod>());
    let recorder = cx.recorder("controllermanager");
    let mut watches = Watches::new(cx, NAME);
    watches.on(&budgets, |budget: &PodDisruptionBudget| vec![Key::of(budget)]);
    let (all, tells) = (budgets.clone(), recorder.clone());
    watches.on(&pods, move |pod: &Pod| protectors(&all, &tells, pod));
    let scales = Scales::new(cx, &mut watches);
    watches.run(1, Disruption { client: cx.client.clone(), recorder, budgets, pods: pods.clone(), scales });
    stale::start(cx, pods);
}

struct Disruption {
    client: Client,
    recorder: Recorder,
    budgets: Informer<PodDisruptionBudget>,
    pods: Informer<Pod>,
    scales: Scales,
}

// === impl Disruption ===

impl Reconcile for Disruption {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A budget whose pods cannot be counted lets none be evicted.
    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(budget) = self.budgets.get(key) else { return Ok(Outcome::Done) };
        let now = crate::clock::now();
        match self.count(&budget, now).await {
            Ok((status, again)) => {
                self.write(&budget, status).await?;
                Ok(again.map_or(Outcome::Done, Outcome::After))
            }
            Err(Unknown::Api(error)) if error.is_conflict() => Err(error),
            Err(unknown) => {
                let message = format!("Failed to calculate the number of expected pods: {}", chain(&unknown));
                self.tell(&budget, EventType::Warning, "CalculateExpectedPodCountFailed", &message);
                self.write(&budget, plan::failed(&budget, &chain(&unknown), now)).await?;
                Ok(Outcome::Done)
            }
        }
    }
}

impl Disruption {
    async fn count(
        &self,
        budget: &PodDisruptionBudget,
        now: Timestamp,
    ) -> Result<(PodDisruptionBudgetStatus, Option<Duration>), Unknown> {
        let mut pods = self.pods.in_namespace(budget.namespace());
        pods.retain(|pod| selects(budget, pod.metadata.labels.as_ref()));
        if pods.is_empty() {
            self.tell(budget, EventType::Normal, "NoPods", "No matching pods found");
        }
        let expected = if plan::needs_scale(budget) {
            if pods.iter().any(|pod| pod.controller().is_none()) {
                self.tell(budget, EventType::Warning, "UnmanagedPods", &plan::unmanaged(budget));
            }
            self.scales.total(&pods).await?
        } else {
            i32::try_from(pods.len()).unwrap_or(i32::MAX)
        };
        let (disrupted, late) = plan::disrupted(budget, &pods, now);
        for pod in late {
            let (namespace, text) = (budget.namespace(), "Pod was expected by PDB");
            let message = format!("{text} {namespace}/{namespace} to be deleted but it wasn't");
            self.recorder.event(&reference(&*pod), EventType::Warning, "NotDeleted", message);
        }
        let again = disrupted.values().map(|t| plan::TIMEOUT - now.duration_since(t.0)).min();
        let status = plan::status(budget, &pods, expected, disrupted, now);
        Ok((status, again.and_then(|wait| Duration::try_from(wait).ok()).map(|wait| wait + Duration::from_millis(10))))
    }

    async fn write(&self, budget: &PodDisruptionBudget, status: PodDisruptionBudgetStatus) -> Result<()> {
        if budget.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let next = PodDisruptionBudget { status: Some(status), ..budget.clone() };
        match self.client.namespaced::<PodDisruptionBudget>(budget.namespace()).update_status(&next).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    fn tell(&self, budget: &PodDisruptionBudget, kind: EventType, reason: &str, message: &str) {
        self.recorder.event(&reference(budget), kind, reason, message);
    }
}

impl From<Error> for Unknown {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

/// The budgets that a pod falls under. There should be one.
fn protectors(budgets: &Informer<PodDisruptionBudget>, recorder: &Recorder, pod: &Pod) -> Vec<Key> {
    let mut all: Vec<Arc<PodDisruptionBudget>> = budgets.in_namespace(pod.namespace());
    all.retain(|budget| selects(budget, pod.metadata.labels.as_ref()));
    if let [chosen, _, ..] = all.as_slice() {
        let (namespace, name, chosen) = (pod.namespace(), pod.name(), chosen.name());
        let message = format!(
            "Pod {namespace:?}/{name:?} matches multiple PodDisruptionBudgets.  Chose {chosen:?} arbitrarily."
        );
        recorder.event(&reference(pod), EventType::Warning, "MultiplePodDisruptionBudgets", message);
    }
    all.iter().map(|budget| Key::of(&**budget)).collect()
}

/// Whether a pod of these labels falls under a budget; no selector selects none.
fn selects(budget: &PodDisruptionBudget, labels: Option<&Labels>) -> bool {
    let selector = budget.spec.as_ref().and_then(|s| s.selector.as_ref());
    selector.is_some_and(|s| matches(s, labels))
}
