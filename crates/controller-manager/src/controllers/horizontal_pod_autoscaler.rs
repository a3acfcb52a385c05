//! Horizontal autoscaling: as many replicas as bring the metrics of their pods to what was asked for. Every autoscaler
//! is looked at each 15 seconds, as nothing tells when usage changes.
//!
//! Absent: scaling to zero (`HPAScaleToZero`), which is off upstream, too.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::autoscaling::HorizontalPodAutoscaler;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::selector::LabelSelector;
use nakhoda_api::status::chain;
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};
use parking_lot::Mutex;

use crate::context::{Context, Watches};

pub mod calculate;
pub mod memory;
pub mod metric;
pub mod normalise;
pub mod plan;
pub mod read;
pub mod sample;
pub mod target;

use calculate::Scene;
use memory::Memory;
use plan::{Desired, Round, Settings, Stance};
use target::Target;

const NAME: &str = "horizontal_pod_autoscaler";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (autoscalers, pods) = (cx.informers.of::<HorizontalPodAutoscaler>(), cx.informers.of::<Pod>());
    let settings = Settings::default();
    let mut watches = Watches::new(cx, NAME);
    watches.reads(&autoscalers);
    watches.reads(&pods);
    ask_later(cx, &watches, &autoscalers, settings);
    let recorder = cx.recorder("horizontal-pod-autoscaler");
    let client = cx.client.clone();
    watches.run(5, Autoscalers { client, recorder, autoscalers, pods, settings, known: Known::default() });
}

/// A new autoscaler waits for a period, as upstream's does: its pods are to be measured first.
fn ask_later(cx: &Context, watches: &Watches, autoscalers: &Informer<HorizontalPodAutoscaler>, settings: Settings) {
    let (mut changes, queue) = (autoscalers.subscribe(), watches.queue().clone());
    cx.tasks.spawn(format!("{NAME} watches autoscalers"), async move {
        while let Some(change) = changes.recv().await {
            match change {
                Change::Added(hpa) => queue.add_after(Key::of(&*hpa), settings.sync),
                // what is remembered of it goes
                Change::Deleted(hpa) => queue.add(Key::of(&*hpa)),
                Change::Updated { .. } => {}
            }
        }
    });
}

struct Autoscalers {
    client: Client,
    recorder: Recorder,
    autoscalers: Informer<HorizontalPodAutoscaler>,
    pods: Informer<Pod>,
    settings: Settings,
    known: Known,
}

/// What is known of autoscalers from earlier rounds.
#[derive(Default)]
struct Known {
    memories: Mutex<HashMap<Key, Memory>>,
    selectors: Mutex<HashMap<Key, LabelSelector>>,
}

// === impl Autoscalers ===

impl Reconcile for Autoscalers {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(hpa) = self.autoscalers.get(key) else {
            self.known.memories.lock().remove(key);
            self.known.selectors.lock().remove(key);
            return Ok(Outcome::Done);
        };
        let now = crate::clock::now();
        let mut round = Round::new(&hpa, now);
        let mut memory = self.known.memories.lock().remove(key).unwrap_or_default();
        self.scale(&hpa, &mut round, &mut memory, now).await;
        self.known.memories.lock().insert(key.clone(), memory);
        for (kind, reason, message) in std::mem::take(&mut round.events) {
            self.recorder.event(&reference(&*hpa), kind, reason, message);
        }
        // the next round writes again what was lost against another writer
        if let Err(error) = self.write(&hpa, round).await {
            tracing::debug!(%key, error = chain(&error), "status not written");
        }
        Ok(Outcome::After(self.settings.sync))
    }
}

impl Autoscalers {
    async fn scale(&self, hpa: &HorizontalPodAutoscaler, round: &mut Round, memory: &mut Memory, now: Timestamp) {
        let mut target = match Target::find(&self.client, hpa).await {
            Ok(target) => target,
            Err(unknown) => return round.no_scale(&chain(&unknown)),
        };
        round.scale_found();
        let current = target.replicas();
        memory.begin(current, now);
        let desired = match plan::stance(hpa, current) {
            Stance::Disabled => {
                round.disabled();
                return round.settled(current, current);
            }
            Stance::Outside(replicas, why) => Desired { replicas, reason: why.into() },
            Stance::Measure => match self.measure(hpa, &target, round, memory, now).await {
                Ok(desired) => desired,
                Err(why) => return round.unmeasured(current, &why),
            },
        };
        if desired.replicas == current {
            return round.settled(current, current);
        }
        match target.resize(desired.replicas).await {
            Ok(()) => {
                memory.scaled(hpa.spec.behavior.as_ref(), current, desired.replicas, now);
                round.rescaled(current, &desired);
            }
            Err(error) => round.not_rescaled(current, &desired, &chain(&error)),
        }
    }

    /// What the metrics say.
    async fn measure(
        &self,
        hpa: &HorizontalPodAutoscaler,
        target: &Target,
        round: &mut Round,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Result<Desired, String> {
        let pods = self.pods_of(hpa, target.selector(), round)?;
        let mut readings = Vec::new();
        for spec in hpa.spec.metrics.iter().flatten() {
            readings.push(read::read(&self.client, hpa.namespace(), target.selector(), spec).await);
        }
        let scene = Scene {
            current: target.replicas(),
            observed: target.observed(),
            pods: &pods,
            tolerance: plan::tolerance(hpa, self.settings.tolerance),
            periods: self.settings.periods,
            now,
        };
        let (desired, trouble) = round.measure(hpa, &scene, readings, (memory, &self.settings))?;
        if let Some(trouble) = trouble {
            tracing::warn!(autoscaler = %Key::of(hpa), trouble, "scaled by some of the metrics");
        }
        Ok(desired)
    }

    /// The pods of a target; of no other autoscaler's, too.
    fn pods_of(&self, hpa: &HorizontalPodAutoscaler, text: &str, round: &mut Round) -> Result<Vec<Arc<Pod>>, String> {
        if text.is_empty() {
            let why = "selector is required";
            round.no_selector(
                "SelectorRequired",
                "InvalidSelector",
                why,
                "the HPA target's scale is missing a selector",
            );
            return Err(why.into());
        }
        let selector = LabelSelector::parse(text).map_err(|error| {
            let why = format!("couldn't convert selector into a corresponding internal selector object: {error}");
            round.no_selector("InvalidSelector", "InvalidSelector", &why, &why);
            why
        })?;
        let mut pods = self.pods.in_namespace(hpa.namespace());
        pods.retain(|pod| matches(&selector, pod));
        self.known.selectors.lock().insert(Key::of(hpa), selector);
        let rivals = self.rivals(hpa.namespace(), &pods);
        if rivals.len() > 1 {
            let why = format!("pods by selector {text} are controlled by multiple HPAs: [{}]", rivals.join(" "));
            round.no_selector("AmbiguousSelector", "AmbiguousSelector", &why, &why);
            return Err(why);
        }
        Ok(pods)
    }

    /// The autoscalers that any of these pods belong to.
    fn rivals(&self, namespace: &str, pods: &[Arc<Pod>]) -> Vec<String> {
        let selectors = self.known.selectors.lock();
        let own = selectors.iter().filter(|(key, _)| key.namespace == namespace);
        let rivals = own.filter(|(_, selector)| pods.iter().any(|pod| matches(selector, pod)));
        let mut names: Vec<String> = rivals.map(|(key, _)| key.to_string()).collect();
        names.sort();
        names
    }

    async fn write(&self, hpa: &HorizontalPodAutoscaler, round: Round) -> Result<()> {
        if hpa.status.as_ref() == Some(&round.status) {
            return Ok(());
        }
        let next = HorizontalPodAutoscaler { status: Some(round.status), ..hpa.clone() };
        let written = self.client.namespaced::<HorizontalPodAutoscaler>(hpa.namespace()).update_status(&next).await;
        written.map(drop)
    }
}

fn matches(selector: &LabelSelector, pod: &Pod) -> bool {
    let none = std::collections::BTreeMap::new();
    selector.matches(pod.metadata.labels.as_ref().unwrap_or(&none))
}
