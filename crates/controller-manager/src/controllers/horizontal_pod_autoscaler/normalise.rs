//! What becomes of a recommendation: it is held against recent ones, and bounded by the rules of the autoscaler.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::autoscaling::{HPAScalingRules, HorizontalPodAutoscalerBehavior};

use super::memory::Memory;

/// How many replicas there are, and may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Now.
    pub current: i32,
    /// At least.
    pub min: i32,
    /// At most.
    pub max: i32,
}

/// A number of replicas, and why it is this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// So many.
    pub replicas: i32,
    /// A word for the condition.
    pub reason: &'static str,
    /// A sentence.
    pub message: &'static str,
}

/// What was found right, after it was held against recent recommendations and after it was bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalised {
    /// The first.
    pub stabilized: Limited,
    /// The second.
    pub bounded: Limited,
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const HELD_UP: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const HELD_DOWN: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const TOO_FEW: (&str, &str) = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const TOO_MANY: (&str, &str) = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");

/// Without rules: scaled down to the highest of the last minutes, up to twice as many, or four.
pub fn plainly(
    memory: &mut Memory,
    bounds: Bounds,
    desired: i32,
    window: SignedDuration,
    now: Timestamp,
) -> Normalised {
    let recent = memory.recommendations.iter().filter(|(at, _)| *at >= now - window);
    let highest = recent.map(|(_, replicas)| *replicas).fold(desired, i32::max);
    memory.recommend(desired, window, now);
    let stabilized = limited(highest, if highest == desired { READY } else { HELD_DOWN });
    let fastest = bounds.current.saturating_mul(2).max(4);
    let (most, reason) = if bounds.max > fastest { (fastest, UP_LIMIT) } else { (bounds.max, TOO_MANY) };
    let bounded = if highest < bounds.min {
        limited(bounds.min, TOO_FEW)
    } else if highest > most {
        limited(most, reason)
    } else {
        limited(highest, WITHIN)
    };
    Normalised { stabilized, bounded }
}

/// By rules.
pub fn by_rules(
    memory: &mut Memory,
    behavior: &HorizontalPodAutoscalerBehavior,
    bounds: Bounds,
    desired: i32,
    window: SignedDuration,
    now: Timestamp,
) -> Normalised {
    let (none, up, down) = (HPAScalingRules::default(), behavior.scale_up.as_ref(), behavior.scale_down.as_ref());
    let (up, down) = (up.unwrap_or(&none), down.unwrap_or(&none));
    let delay = |rules: &HPAScalingRules, default: SignedDuration| {
        rules.stabilization_window_seconds.map_or(default, |seconds| SignedDuration::from_secs(seconds.into()))
    };
    let delays = (delay(up, SignedDuration::ZERO), delay(down, window));
    let stabilized = stabilize(memory, delays, bounds.current, desired, now);
    Normalised { stabilized, bounded: bound(memory, up, down, bounds, stabilized.replicas, now) }
}

/// The current number, brought between the lowest and the highest of the recent recommendations.
fn stabilize(
    memory: &mut Memory,
    (up, down): (SignedDuration, SignedDuration),
    current: i32,
    desired: i32,
    now: Timestamp,
) -> Limited {
    let recent = |delay: SignedDuration| {
        memory.recommendations.iter().filter(move |(at, _)| *at > now - delay).map(|(_, replicas)| *replicas)
    };
    let lowest = recent(up).fold(desired, i32::min);
    let highest = recent(down).fold(desired, i32::max);
    let replicas = current.max(lowest).min(highest);
    memory.recommend(desired, up.max(down), now);
    limited(
        replicas,
        if replicas == desired {
            READY
        } else if desired >= current {
            HELD_UP
        } else {
            HELD_DOWN
        },
    )
}

fn bound(
    memory: &Memory,
    up: &HPAScalingRules,
    down: &HPAScalingRules,
    bounds: Bounds,
    desired: i32,
    now: Timestamp,
) -> Limited {
    let current = bounds.current;
    if desired > current {
        let fastest = highest(memory, up, current, now).max(current);
        let (most, reason) = if bounds.max > fastest { (fastest, UP_LIMIT) } else { (bounds.max, TOO_MANY) };
        if desired > most {
            return limited(most, reason);
        }
    } else if desired < current {
        let fastest = lowest(memory, down, current, now).min(current);
        let (least, reason) = if bounds.min < fastest { (fastest, DOWN_LIMIT) } else { (bounds.min, TOO_FEW) };
        if desired < least {
            return limited(least, reason);
        }
    }
    limited(desired, WITHIN)
}

/// The highest number that the policies let it have now.
fn highest(memory: &Memory, rules: &HPAScalingRules, current: i32, now: Timestamp) -> i32 {
    let each = rules.policies.iter().flatten().filter_map(|policy| {
        let before = memory.replicas_before(current, policy.period_seconds, now);
        match policy.type_.as_str() {
            "Pods" => Some(before.saturating_add(policy.value)),
            // a part counts as one more: else few could never become more
            "Percent" => Some((f64::from(before) * (1.0 + f64::from(policy.value) / 100.0)).ceil() as i32),
            _ => None,
        }
    });
    match rules.select_policy.as_deref() {
        Some("Disabled") => current,
        Some("Min") => each.min().unwrap_or(i32::MAX),
        _ => each.max().unwrap_or(i32::MIN),
    }
}

/// The lowest.
fn lowest(memory: &Memory, rules: &HPAScalingRules, current: i32, now: Timestamp) -> i32 {
    let each = rules.policies.iter().flatten().filter_map(|policy| {
        let before = memory.replicas_before(current, policy.period_seconds, now);
        match policy.type_.as_str() {
            "Pods" => Some(before.saturating_sub(policy.value)),
            "Percent" => Some((f64::from(before) * (1.0 - f64::from(policy.value) / 100.0)) as i32),
            _ => None,
        }
    });
    match rules.select_policy.as_deref() {
        Some("Disabled") => current,
        Some("Min") => each.max().unwrap_or(i32::MIN),
        _ => each.min().unwrap_or(i32::MAX),
    }
}

const fn limited(replicas: i32, (reason, message): (&'static str, &'static str)) -> Limited {
    Limited { replicas, reason, message }
}

#[cfg(test)]
mod tests;
