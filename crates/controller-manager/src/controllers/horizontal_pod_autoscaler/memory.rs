//! What the controller remembers of an autoscaler between two rounds: what it found right, and what it did.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::autoscaling::{HPAScalingRules, HorizontalPodAutoscalerBehavior};

/// The memory of one autoscaler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// How many replicas were found right, and when: not stabilized, in no order.
    pub recommendations: Vec<(Timestamp, i32)>,
    /// By how much it was scaled up, and when.
    pub ups: Vec<(Timestamp, i32)>,
    /// By how much it was scaled down, and when.
    pub downs: Vec<(Timestamp, i32)>,
}

// === impl Memory ===

impl Memory {
    /// The first thing that is remembered is how many replicas there were.
    pub fn begin(&mut self, replicas: i32, now: Timestamp) {
        if self.recommendations.is_empty() {
            self.recommendations.push((now, replicas));
        }
    }

    /// Notes what was found right; recommendations older than `window` are of no use any more.
    pub fn recommend(&mut self, replicas: i32, window: SignedDuration, now: Timestamp) {
        self.recommendations.retain(|(at, _)| *at >= now - window);
        self.recommendations.push((now, replicas));
    }

    /// Notes that the target was scaled, if there are rules that want to know.
    pub fn scaled(&mut self, behavior: Option<&HorizontalPodAutoscalerBehavior>, from: i32, to: i32, now: Timestamp) {
        let Some(behavior) = behavior else { return };
        let (events, rules) = match to > from {
            true => (&mut self.ups, behavior.scale_up.as_ref()),
            false => (&mut self.downs, behavior.scale_down.as_ref()),
        };
        let window = longest(rules);
        events.retain(|(at, _)| *at >= now - window);
        events.push((now, (to - from).abs()));
    }

    /// How many replicas there were when a period began.
    #[must_use]
    pub fn replicas_before(&self, current: i32, seconds: i32, now: Timestamp) -> i32 {
        let from = now - SignedDuration::from_secs(seconds.into());
        let sum = |events: &[(Timestamp, i32)]| -> i32 {
            events.iter().filter(|(at, _)| *at > from).map(|(_, change)| change).sum()
        };
        current - sum(&self.ups) + sum(&self.downs)
    }
}

fn longest(rules: Option<&HPAScalingRules>) -> SignedDuration {
    let policies = rules.and_then(|rules| rules.policies.as_ref()).into_iter().flatten();
    SignedDuration::from_secs(policies.map(|policy| policy.period_seconds.into()).max().unwrap_or(0))
}
