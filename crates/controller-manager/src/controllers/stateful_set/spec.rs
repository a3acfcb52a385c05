//! What a stateful set asks for, with the server's defaults in place of what is not said.

use nakhoda_api::kinds::apps::StatefulSet;

use crate::share::scaled;

/// Whether the set replaces its pods by itself.
#[must_use]
pub fn is_rolling(set: &StatefulSet) -> bool {
    set.spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()) != Some("OnDelete")
}

/// How many pods there should be.
#[must_use]
pub fn replicas(set: &StatefulSet) -> i32 {
    set.spec.replicas.unwrap_or(1)
}

/// How long a pod must be ready before it counts as available.
#[must_use]
pub fn min_ready(set: &StatefulSet) -> i32 {
    set.spec.min_ready_seconds.unwrap_or_default()
}

/// The number from which an update replaces pods, if the set says so.
#[must_use]
pub fn partition(set: &StatefulSet) -> Option<i32> {
    let rolling = set.spec.update_strategy.as_ref()?.rolling_update.as_ref()?;
    Some(rolling.partition.unwrap_or_default())
}

/// How many pods an update may take at once, if the set says so.
#[must_use]
pub fn max_unavailable(set: &StatefulSet) -> Option<i32> {
    let rolling = set.spec.update_strategy.as_ref()?.rolling_update.as_ref()?;
    let value = rolling.max_unavailable.as_ref()?;
    Some(scaled(Some(value), replicas(set), false).max(1))
}
