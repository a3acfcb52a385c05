//! What a change of size means in the midst of a rollout: each set gets its share, so that the mix of
//! old and new pods stays as it is.

use std::cmp::Reverse;
use std::sync::Arc;

use nakhoda_api::kinds::apps::ReplicaSet;

use super::rolling::total;
use super::rollout::{DESIRED, MAX, Resize, Rollout, annotation, available, size};

/// The resizes that bring all sets to the wanted number of pods.
#[must_use]
pub fn plan(rollout: &Rollout) -> Vec<Resize> {
    let active: Vec<&Arc<ReplicaSet>> = rollout.all().filter(|s| size(s) > 0).collect();
    match active.as_slice() {
        [] => latest(rollout).map(|set| Resize { set, to: rollout.desired() }).into_iter().collect(),
        [one] => vec![Resize { set: (*one).clone(), to: rollout.desired() }],
        _ if is_saturated(rollout) => rollout.all_old_to_zero(),
        _ if rollout.is_recreate() => Vec::new(),
        _ => share(rollout, active),
    }
}

/// Whether the new set alone has all pods already.
fn is_saturated(rollout: &Rollout) -> bool {
    let desired = rollout.desired();
    rollout.new.as_ref().is_some_and(|new| {
        size(new) == desired && annotation(new, DESIRED) == Some(desired) && available(new) == desired
    })
}

fn latest(rollout: &Rollout) -> Option<Arc<ReplicaSet>> {
    rollout.new.as_ref().or(rollout.old.last()).cloned()
}

/// The larger a set, the larger its share; the largest takes what is left over.
fn share(rollout: &Rollout, mut active: Vec<&Arc<ReplicaSet>>) -> Vec<Resize> {
    let allowed = if rollout.desired() > 0 { rollout.max_replicas() } else { 0 };
    let change = allowed - total(active.iter().copied());
    let made = |s: &ReplicaSet| s.metadata.creation_timestamp.as_ref().map(|t| t.0);
    if change > 0 {
        active.sort_by_key(|s| (Reverse(size(s)), Reverse(made(s))));
    } else {
        active.sort_by_key(|s| (Reverse(size(s)), made(s)));
    }
    let mut done = 0;
    let mut sizes: Vec<i32> = Vec::with_capacity(active.len());
    for set in &active {
        let part = part(set, rollout, change, done);
        done += part;
        sizes.push(size(set) + part);
    }
    sizes[0] = (sizes[0] + change - done).max(0);
    active.into_iter().zip(sizes).map(|(set, to)| Resize { set: set.clone(), to }).collect()
}

/// The share of a set in a change of which `done` is given out.
fn part(set: &ReplicaSet, rollout: &Rollout, change: i32, done: i32) -> i32 {
    let left = change - done;
    if left == 0 {
        return 0;
    }
    let fraction = fraction(set, rollout);
    if change > 0 { fraction.min(left) } else { fraction.max(left) }
}

/// How much the set would grow if it kept its part of the whole.
fn fraction(set: &ReplicaSet, rollout: &Rollout) -> i32 {
    if rollout.desired() == 0 {
        return -size(set);
    }
    let before = annotation(set, MAX).filter(|&max| max > 0).unwrap_or_else(|| {
        rollout.deployment.status.as_ref().and_then(|s| s.replicas).unwrap_or_default().max(1)
    });
    let grown = f64::from(size(set)) * f64::from(rollout.max_replicas()) / f64::from(before);
    #[expect(clippy::cast_possible_truncation, reason = "a share of an i32 is an i32")]
    let grown = grown.round() as i32;
    grown - size(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::{deployment, set};

    fn with_max(set: Arc<ReplicaSet>, max: i32) -> Arc<ReplicaSet> {
        let mut set = (*set).clone();
        set.metadata.annotations = Some([(MAX.to_owned(), max.to_string())].into());
        Arc::new(set)
    }

    fn sizes(rollout: &Rollout) -> Vec<(String, i32)> {
        let name = |r: &Resize| r.set.metadata.name.clone().unwrap_or_default();
        plan(rollout).iter().map(|r| (name(r), r.to)).collect()
    }

    #[test]
    fn sets_grow_in_proportion_and_the_largest_takes_the_rest() {
        let sets = vec![with_max(set("old", 1, 8, 8), 13), with_max(set("new", 2, 5, 5), 13)];
        let rollout = Rollout::new(deployment(15, "3", "2"), sets);
        assert_eq!(sizes(&rollout), [("web-old".into(), 11), ("web-new".into(), 7)]);
    }

    #[test]
    fn a_lone_set_takes_all_and_nothing_wanted_empties_all() {
        assert_eq!(sizes(&Rollout::new(deployment(4, "1", "0"), vec![set("new", 1, 2, 2)])), [("web-new".into(), 4)]);
        let both = Rollout::new(deployment(0, "1", "0"), vec![set("old", 1, 2, 2), set("new", 2, 1, 1)]);
        assert!(sizes(&both).iter().all(|(_, to)| *to == 0));
    }
}
