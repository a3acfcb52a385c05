//! What is told of a rule: whether it is ending pods, and how many it has ended.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::Condition;
use nakhoda_api::kinds::resource::DeviceTaintRule;
use nakhoda_api::time::time;
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Resource, Result};
use parking_lot::Mutex;

use super::World;
use super::plan::{NO_EXECUTE, devices, is_ruled, uses_devices};
use crate::context::{Context, Watches};

const NAME: &str = "device-taint-rule-status";
const CONDITION: &str = "EvictionInProgress";
/// The shortest time between two writes for one rule.
const PERIOD: SignedDuration = SignedDuration::from_secs(10);

/// How many pods each rule, by UID, has ended since this process leads. Cheap to clone.
#[derive(Clone, Default)]
pub struct Evicted {
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

/// What a rule does, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Pods that it is to end, or would.
    pub pods: usize,
    /// In so many namespaces.
    pub namespaces: usize,
    /// Devices that are published and selected.
    pub published: usize,
    /// Devices that are given away and selected.
    pub allocated: usize,
    /// Pods that it has ended.
    pub evicted: usize,
}

pub(super) fn start(cx: &Context, pods: &Informer<Pod>, world: &World, evicted: Evicted) {
    let mut watches = Watches::new(cx, NAME);
    watches.on(&world.rules, |rule: &DeviceTaintRule| vec![Key::of(rule)]);
    let all = world.rules.clone();
    watches.on_change(pods, move |change| {
        if !uses_devices(change.object()) {
            return Vec::new();
        }
        all.list().iter().filter(|rule| rule.spec.taint.effect == NO_EXECUTE).map(|rule| Key::of(&**rule)).collect()
    });
    watches.run(1, Teller { client: cx.client.clone(), pods: pods.clone(), world: world.clone(), evicted });
}

struct Teller {
    client: Client,
    pods: Informer<Pod>,
    world: World,
    evicted: Evicted,
}

// === impl Evicted ===

impl Evicted {
    /// A pod has been ended by these rules.
    pub fn count(&self, rules: &[String]) {
        let mut counts = self.counts.lock();
        rules.iter().for_each(|uid| *counts.entry(uid.clone()).or_default() += 1);
    }

    fn of(&self, rule: &DeviceTaintRule) -> usize {
        self.counts.lock().get(rule.uid()).copied().unwrap_or_default()
    }
}

// === impl Teller ===

impl Reconcile for Teller {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(rule) = self.world.rules.get(key) else { return Ok(Outcome::Done) };
        let now = crate::clock::now();
        let known = known(&rule).filter(|known| known.observed_generation == rule.metadata.generation);
        // What a rule would do is told once.
        if known.is_some() && rule.spec.taint.effect != NO_EXECUTE {
            return Ok(Outcome::Done);
        }
        let age = known.map(|known| now.duration_since(known.last_transition_time.0));
        // The clock may have been set back since.
        if let Some(left) = age.filter(|age| !age.is_negative()).and_then(|age| Duration::try_from(PERIOD - age).ok())
            && !left.is_zero()
        {
            return Ok(Outcome::After(left));
        }
        if let Some(next) = told(&rule, self.numbers(&rule), now) {
            self.client.all::<DeviceTaintRule>().update_status(&next).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Teller {
    fn numbers(&self, rule: &DeviceTaintRule) -> Numbers {
        let mut as_if = rule.clone();
        as_if.spec.taint.effect = NO_EXECUTE.into();
        let (as_if, slices) = ([Arc::new(as_if)], self.world.slices.list());
        let claims = self.world.claims.list();
        let (mut pods, mut namespaces) = (0, BTreeSet::new());
        for pod in self.pods.list().into_iter().filter(|pod| uses_devices(pod) && !pod.is_terminating()) {
            let used: Vec<_> = claims.iter().filter(|claim| super::plan::is_used_by(claim, &pod)).cloned().collect();
            if super::plan::taints(&used, &[], &as_if).is_some() {
                pods += 1;
                namespaces.insert(pod.namespace().to_owned());
            }
        }
        let selected = |slice: &nakhoda_api::kinds::resource::ResourceSlice| {
            let (driver, pool) = (&slice.spec.driver, &slice.spec.pool.name);
            let all = slice.spec.devices.iter().flatten();
            all.filter(|device| nakhoda_api::device_taints::selects(rule, driver, pool, &device.name)).count()
        };
        Numbers {
            pods,
            namespaces: namespaces.len(),
            published: slices.iter().map(|slice| selected(slice)).sum(),
            allocated: claims.iter().flat_map(|claim| devices(claim)).filter(|device| is_ruled(device, rule)).count(),
            evicted: self.evicted.of(rule),
        }
    }
}

fn known(rule: &DeviceTaintRule) -> Option<&Condition> {
    rule.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == CONDITION)
}

/// The rule with its new condition, if that says anything new.
fn told(rule: &DeviceTaintRule, numbers: Numbers, now: Timestamp) -> Option<DeviceTaintRule> {
    let (status, reason, message) = words(&rule.spec.taint.effect, numbers);
    let generation = rule.metadata.generation;
    let same = |known: &Condition| {
        known.status == status
            && known.reason == reason
            && known.message == message
            && known.observed_generation == generation
    };
    if known(rule).is_some_and(same) {
        return None;
    }
    let mut next = rule.clone();
    let all = next.status.get_or_insert_default().conditions.get_or_insert_default();
    all.retain(|condition| condition.type_ != CONDITION);
    all.push(Condition {
        type_: CONDITION.into(),
        status: status.into(),
        reason,
        message,
        observed_generation: generation,
        last_transition_time: time(now),
    });
    Some(next)
}

fn words(effect: &str, numbers: Numbers) -> (&'static str, String, String) {
    let many = |count: usize, one: &str, more: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {more}") };
    let spaces = many(numbers.namespaces, "namespace", "different namespaces");
    let (status, reason, mut message) = match effect {
        NO_EXECUTE if numbers.pods > 0 => {
            let pods = many(numbers.pods, "pod needs", "pods need");
            ("True", "PodsPendingEviction".to_owned(), format!("{pods} to be evicted in {spaces}."))
        }
        NO_EXECUTE => ("False", if numbers.evicted > 0 { "Completed" } else { "NotStarted" }.into(), String::new()),
        "None" => {
            let published = many(numbers.published, "published device selected.", "published devices selected.");
            let allocated = many(numbers.allocated, "allocated device selected.", "allocated devices selected.");
            let pods = many(numbers.pods, "pod would", "pods would");
            let rest = "if the effect was NoExecute. This information will not be updated again. \
                        Recreate the DeviceTaintRule to trigger an update.";
            ("False", "NoEffect".into(), format!("{published} {allocated} {pods} be evicted in {spaces} {rest}"))
        }
        _ => ("False", "OtherEffect".into(), "Eviction only happens for the NoExecute effect.".into()),
    };
    if numbers.evicted > 0 {
        let gap = if message.is_empty() { "" } else { " " };
        message = format!("{message}{gap}{} evicted since starting the controller.", many(numbers.evicted, "pod", "pods"));
    }
    (status, reason, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_tells_what_it_does_what_it_has_done_and_what_it_would_do() {
        let numbers = |pods, evicted| Numbers { pods, namespaces: pods, published: 1, allocated: 2, evicted };
        for (effect, numbers, status, reason, message) in [
            (NO_EXECUTE, numbers(1, 0), "True", "PodsPendingEviction", "1 pod needs to be evicted in 1 namespace."),
            (NO_EXECUTE, numbers(0, 0), "False", "NotStarted", ""),
            (NO_EXECUTE, numbers(0, 1), "False", "Completed", "1 pod evicted since starting the controller."),
            ("NoSchedule", numbers(0, 0), "False", "OtherEffect", "Eviction only happens for the NoExecute effect."),
        ] {
            assert_eq!(words(effect, numbers), (status, reason.to_owned(), message.to_owned()));
        }
        let would = words("None", numbers(2, 0)).2;
        let begin = "1 published device selected. 2 allocated devices selected. 2 pods would be evicted in 2 different namespaces if";
        assert!(would.starts_with(begin), "{would}");
    }

    #[test]
    fn what_is_told_already_is_not_written_again() {
        let rule = DeviceTaintRule::default();
        let next = told(&rule, Numbers::default(), Timestamp::UNIX_EPOCH).expect("it is new");
        assert_eq!(told(&next, Numbers::default(), Timestamp::MAX), None);
    }
}
