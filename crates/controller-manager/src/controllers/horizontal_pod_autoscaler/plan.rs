//! One round of an autoscaler, as plain functions: what is to be done now, and what its status tells of that.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::autoscaling::{
    HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus,
};
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::quantity::Quantity;
use nakhoda_client::EventType;

use super::calculate::{Scene, Tolerance};
use super::memory::Memory;
use super::metric::{self, Outcome, Reading};
use super::normalise::{self, Bounds, Normalised};
use super::sample::Periods;

/// Upstream's defaults.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How often each autoscaler is looked at.
    pub sync: std::time::Duration,
    /// What is near enough, unless the autoscaler says otherwise.
    pub tolerance: f64,
    /// How long a recommendation holds against scaling down, unless the autoscaler says otherwise.
    pub downscale_stabilization: SignedDuration,
    /// What of young pods is believed.
    pub periods: Periods,
}

/// What is to be done before metrics are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Nothing: somebody has switched the target off.
    Disabled,
    /// This many, whatever is measured.
    Outside(i32, &'static str),
    /// What the metrics say.
    Measure,
}

/// An event.
pub type Event = (EventType, &'static str, String);

/// A round: the status as it grows, and what is told.
#[derive(Clone, Debug)]
pub struct Round {
    /// What will be written.
    pub status: HorizontalPodAutoscalerStatus,
    /// What will be told.
    pub events: Vec<Event>,
    now: Timestamp,
}

/// A number of replicas and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// So many.
    pub replicas: i32,
    /// For the event.
    pub reason: String,
}

impl Default for Settings {
    fn default() -> Self {
        let periods = Periods {
            cpu_initialization: SignedDuration::from_mins(5),
            initial_readiness: SignedDuration::from_secs(30),
        };
        Self {
            sync: std::time::Duration::from_secs(15),
            tolerance: 0.1,
            downscale_stabilization: SignedDuration::from_mins(5),
            periods,
        }
    }
}

/// What is to be done with a target that has so many replicas.
#[must_use]
pub fn stance(hpa: &HorizontalPodAutoscaler, current: i32) -> Stance {
    let (min, max) = (least(hpa), hpa.spec.max_replicas);
    match current {
        0 => Stance::Disabled,
        n if n > max => Stance::Outside(max, "Current number of replicas above Spec.MaxReplicas"),
        n if n < min => Stance::Outside(min, "Current number of replicas below Spec.MinReplicas"),
        _ => Stance::Measure,
    }
}

/// What is near enough for an autoscaler.
#[must_use]
pub fn tolerance(hpa: &HorizontalPodAutoscaler, default: f64) -> Tolerance {
    let own = |rules: Option<&HPAScalingRules>| {
        let text = &rules?.tolerance.as_ref()?.0;
        Quantity::parse(text).ok().map(|quantity| quantity.nano() as f64 / 1e9)
    };
    let behavior = hpa.spec.behavior.as_ref();
    Tolerance {
        down: own(behavior.and_then(|b| b.scale_down.as_ref())).unwrap_or(default),
        up: own(behavior.and_then(|b| b.scale_up.as_ref())).unwrap_or(default),
    }
}

fn least(hpa: &HorizontalPodAutoscaler) -> i32 {
    hpa.spec.min_replicas.unwrap_or(1)
}

// === impl Round ===

impl Round {
    /// Begins with what the status told before.
    #[must_use]
    pub fn new(hpa: &HorizontalPodAutoscaler, now: Timestamp) -> Self {
        Self { status: hpa.status.clone().unwrap_or_default(), events: Vec::new(), now }
    }

    /// The target, or its scale, cannot be found.
    pub fn no_scale(&mut self, why: &str) {
        self.warn("FailedGetScale", why.to_owned());
        let message = format!("the HPA controller was unable to get the target's current scale: {why}");
        self.set("AbleToScale", false, "FailedGetScale", message);
    }

    /// The scale was found.
    pub fn scale_found(&mut self) {
        // told anew when they were read
        self.status.current_metrics = None;
        let message = "the HPA controller was able to get the target's current scale";
        self.set("AbleToScale", true, "SucceededGetScale", message);
    }

    /// Nobody wants replicas of the target.
    pub fn disabled(&mut self) {
        let message = "scaling is disabled since the replica count of the target is zero";
        self.set("ScalingActive", false, "ScalingDisabled", message);
        // there is no scaling to zero
        self.status.conditions.get_or_insert_default().retain(|condition| condition.type_ != "ScaledToZero");
    }

    /// The pods of the target cannot be told: of the event, of the condition, and why.
    pub fn no_selector(&mut self, event: &'static str, condition: &'static str, why: &str, message: &str) {
        self.warn(event, why.to_owned());
        self.set("ScalingActive", false, condition, message);
    }

    /// What the metrics say together; `Err` tells why nothing is done, `Ok` perhaps what did not work.
    pub fn measure(
        &mut self,
        hpa: &HorizontalPodAutoscaler,
        scene: &Scene<'_>,
        readings: Vec<Reading>,
        (memory, settings): (&mut Memory, &Settings),
    ) -> Result<(Desired, Option<String>), String> {
        let (best, trouble) = self.best(hpa, scene, readings)?;
        let reason = if best.replicas > scene.current {
            format!("{} above target", best.name)
        } else if best.replicas < scene.current {
            "All metrics below target".into()
        } else {
            String::new()
        };
        let bounds = Bounds { current: scene.current, min: least(hpa), max: hpa.spec.max_replicas };
        let (window, now) = (settings.downscale_stabilization, self.now);
        let Normalised { stabilized, bounded } = match &hpa.spec.behavior {
            None => normalise::plainly(memory, bounds, best.replicas, window, now),
            Some(behavior) => normalise::by_rules(memory, behavior, bounds, best.replicas, window, now),
        };
        self.set("AbleToScale", true, stabilized.reason, stabilized.message);
        let limited = bounded.replicas != stabilized.replicas;
        self.set("ScalingLimited", limited, bounded.reason, bounded.message);
        Ok((Desired { replicas: bounded.replicas, reason }, trouble))
    }

    /// The highest of what the metrics propose. One that fails is in the way of scaling down.
    fn best(
        &mut self,
        hpa: &HorizontalPodAutoscaler,
        scene: &Scene<'_>,
        readings: Vec<Reading>,
    ) -> Result<(Outcome, Option<String>), String> {
        let specs = hpa.spec.metrics.as_deref().unwrap_or_default();
        let mut best: Option<Outcome> = None;
        let (mut failures, mut statuses) = (Vec::new(), Vec::new());
        for (spec, reading) in specs.iter().zip(readings) {
            match metric::propose(scene, spec, reading) {
                Ok(outcome) => {
                    statuses.push(outcome.status.clone());
                    if best.as_ref().is_none_or(|best| best.replicas == 0 || outcome.replicas > best.replicas) {
                        best = Some(outcome);
                    }
                }
                Err(failure) => {
                    statuses.push(Default::default());
                    self.warn(failure.reason, failure.message.clone());
                    failures.push(failure);
                }
            }
        }
        self.status.current_metrics = Some(statuses);
        let trouble = failures.first().map(|first| {
            format!(
                "invalid metrics ({} invalid out of {}), first error is: {}",
                failures.len(),
                specs.len(),
                first.told
            )
        });
        match (best, failures.first()) {
            (Some(best), first) if first.is_none() || best.replicas >= scene.current => {
                let message = format!("the HPA was able to successfully calculate a replica count from {}", best.name);
                self.set("ScalingActive", true, "ValidMetricFound", message);
                Ok((best, trouble))
            }
            (_, first) => {
                if let Some(first) = first {
                    let message = format!("the HPA was unable to compute the replica count: {}", first.message);
                    self.set("ScalingActive", false, first.reason, message);
                }
                Err(trouble.unwrap_or_default())
            }
        }
    }

    /// Nothing is done: why.
    pub fn unmeasured(&mut self, current: i32, why: &str) {
        self.status.current_replicas = Some(current);
        self.warn("FailedComputeMetricsReplicas", why.to_owned());
    }

    /// The target was scaled.
    pub fn rescaled(&mut self, current: i32, desired: &Desired) {
        let message = format!("the HPA controller was able to update the target scale to {}", desired.replicas);
        self.set("AbleToScale", true, "SucceededRescale", message);
        let text = format!("New size: {}; reason: {}", desired.replicas, desired.reason);
        self.events.push((EventType::Normal, "SuccessfulRescale", text));
        self.status.conditions.get_or_insert_default().retain(|condition| condition.type_ != "ScaledToZero");
        self.status.last_scale_time = Some(Time(self.now));
        self.settled(current, desired.replicas);
    }

    /// The target could not be scaled.
    pub fn not_rescaled(&mut self, current: i32, desired: &Desired, why: &str) {
        let text = format!("New size: {}; reason: {}; error: {why}", desired.replicas, desired.reason);
        self.warn("FailedRescale", text);
        let message = format!("the HPA controller was unable to update the target scale: {why}");
        self.set("AbleToScale", false, "FailedUpdateScale", message);
        self.status.current_replicas = Some(current);
    }

    /// Puts down how many replicas there are and should be.
    pub fn settled(&mut self, current: i32, desired: i32) {
        self.status.current_replicas = Some(current);
        self.status.desired_replicas = desired;
    }

    fn warn(&mut self, reason: &'static str, message: String) {
        self.events.push((EventType::Warning, reason, message));
    }

    fn set(&mut self, type_: &str, holds: bool, reason: &str, message: impl Into<String>) {
        let conditions = self.status.conditions.get_or_insert_default();
        let status = if holds { "True" } else { "False" };
        let at = conditions.iter().position(|condition| condition.type_ == type_).unwrap_or_else(|| {
            conditions.push(HorizontalPodAutoscalerCondition { type_: type_.into(), ..Default::default() });
            conditions.len() - 1
        });
        let condition = &mut conditions[at];
        if condition.status != status {
            condition.last_transition_time = Some(Time(self.now));
        }
        condition.status = status.into();
        condition.reason = Some(reason.into());
        condition.message = Some(message.into());
    }
}

#[cfg(test)]
mod tests;
