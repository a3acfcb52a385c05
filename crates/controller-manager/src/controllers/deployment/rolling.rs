//! The next step of a rolling update: first the new set grows as far as the surge lets it, then old
//! sets shrink as far as enough pods stay available; pods that do not work go first.

use std::collections::HashMap;
use std::sync::Arc;

use nakhoda_api::kinds::apps::{Deployment, ReplicaSet};

use super::rollout::{Resize, Rollout, available, desired, max_surge, size};

/// The resizes to do now; none if the rollout waits or has ended.
#[must_use]
pub fn plan(rollout: &Rollout) -> Vec<Resize> {
    let Some(new) = &rollout.new else { return Vec::new() };
    let to = new_size(&rollout.deployment, total(rollout.all()), size(new));
    if to == size(new) { shrink_old(rollout, new) } else { vec![Resize { set: new.clone(), to }] }
}

/// How large the new set may be when all sets together have `total` pods.
#[must_use]
pub fn new_size(deployment: &Deployment, total: i32, current: i32) -> i32 {
    let desired = desired(deployment);
    if current > desired {
        return desired;
    }
    let room = desired.saturating_add(max_surge(deployment)) - total;
    if room <= 0 { current } else { current + room.min(desired - current) }
}

/// How many pods some sets want together.
pub fn total<'a>(sets: impl Iterator<Item = &'a Arc<ReplicaSet>>) -> i32 {
    sets.map(|s| size(s)).sum()
}

fn shrink_old(rollout: &Rollout, new: &ReplicaSet) -> Vec<Resize> {
    if total(rollout.old.iter()) == 0 {
        return Vec::new();
    }
    let least = rollout.desired() - super::rollout::max_unavailable(&rollout.deployment);
    let not_yet = size(new) - available(new);
    let room = total(rollout.all()) - least - not_yet;
    if room <= 0 {
        return Vec::new();
    }
    let mut sizes: HashMap<&str, i32> = rollout.old.iter().map(|s| (name(s), size(s))).collect();
    drop_broken(&rollout.old, room, &mut sizes);
    let spare = rollout.all().map(|s| lasting(s)).sum::<i32>() - least;
    drop_working(&rollout.old, spare, &mut sizes);
    let changed = rollout.old.iter().filter(|s| sizes[name(s)] != size(s));
    changed.map(|s| Resize { set: s.clone(), to: sizes[name(s)] }).collect()
}

/// Pods that are not available go, up to `room` of them.
fn drop_broken<'a>(old: &'a [Arc<ReplicaSet>], mut room: i32, sizes: &mut HashMap<&'a str, i32>) {
    for set in old {
        let broken = (size(set) - available(set)).clamp(0, room.max(0));
        *sizes.entry(name(set)).or_default() -= broken;
        room -= broken;
    }
}

/// Pods that are available go, up to `spare` of them.
fn drop_working<'a>(old: &'a [Arc<ReplicaSet>], mut spare: i32, sizes: &mut HashMap<&'a str, i32>) {
    for set in old {
        let entry = sizes.entry(name(set)).or_default();
        let going = (*entry).clamp(0, spare.max(0));
        *entry -= going;
        spare -= going;
    }
}

/// How many pods of a set are available and stay so: what it has beyond its size is about to go, though
/// its status, which comes later, still counts it.
fn lasting(set: &ReplicaSet) -> i32 {
    available(set).min(size(set))
}

fn name(set: &ReplicaSet) -> &str {
    set.metadata.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controllers::deployment::rollout::fixtures::{deployment, set};

    fn step(replicas: i32, posts: (&str, &str), sets: Vec<Arc<ReplicaSet>>) -> Vec<(String, i32)> {
        let rollout = Rollout::new(deployment(replicas, posts.0, posts.1), sets);
        plan(&rollout).into_iter().map(|r| (name(&r.set).to_owned(), r.to)).collect()
    }

    #[test]
    fn the_new_set_grows_to_the_surge_and_then_old_ones_shrink() {
        let posts = ("25%", "25%");
        assert_eq!(step(10, posts, vec![set("old", 1, 10, 10), set("new", 2, 0, 0)]), [("web-new".into(), 3)]);
        assert_eq!(step(10, posts, vec![set("old", 1, 10, 10), set("new", 2, 3, 0)]), [("web-old".into(), 8)]);
        assert_eq!(step(10, posts, vec![set("old", 1, 8, 8), set("new", 2, 5, 0)]), []);
        assert_eq!(step(10, posts, vec![set("old", 1, 8, 8), set("new", 2, 5, 5)]), [("web-old".into(), 3)]);
        assert_eq!(step(10, posts, vec![set("old", 1, 0, 0), set("new", 2, 10, 10)]), []);
    }

    #[test]
    fn without_surge_an_old_pod_goes_first_and_without_slack_a_new_one_comes_first() {
        assert_eq!(step(1, ("0", "1"), vec![set("old", 1, 1, 1), set("new", 2, 0, 0)]), [("web-old".into(), 0)]);
        assert_eq!(step(1, ("1", "0"), vec![set("old", 1, 1, 1), set("new", 2, 1, 0)]), []);
        assert_eq!(step(1, ("1", "0"), vec![set("old", 1, 1, 1), set("new", 2, 1, 1)]), [("web-old".into(), 0)]);
    }

    #[test]
    fn old_pods_that_do_not_work_go_before_those_that_do() {
        let sets = vec![set("a", 1, 4, 1), set("b", 2, 6, 6), set("new", 3, 3, 3)];
        assert_eq!(step(10, ("3", "2"), sets), [("web-a".into(), 0), ("web-b".into(), 5)]);
    }
}
