//! Pods whose devices have a NoExecute taint that their claims do not tolerate, or not for longer: they are deleted.
//!
//! Taints come from the slices of drivers and from DeviceTaintRules. What a rule does is told in its status, at most
//! every ten seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::resource::{DeviceTaintRule, ResourceClaim, ResourceSlice};
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};
use parking_lot::Mutex;

use crate::context::{Context, Watches};
use crate::eviction::{Cause, evict};
use crate::pod_control::exactly;

pub mod plan;
pub mod status;

use plan::{Taints, users};

const NAME: &str = "device-taint-eviction-controller";
const WORKERS: usize = 4;
const CAUSE: Cause = Cause {
    reason: "DeletionByDeviceTaintManager",
    message: "Device Taint manager: deleting due to NoExecute taint",
    failed: false,
};

/// Starts the controller.
pub fn start(cx: &Context) {
    let (pods, claims) = (cx.informers.of::<Pod>(), cx.informers.of::<ResourceClaim>());
    let (slices, rules) = (cx.informers.of::<ResourceSlice>(), cx.informers.of::<DeviceTaintRule>());
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&pods, |change| if plan::uses_devices(change.object()) { vec![change.key()] } else { Vec::new() });
    watches.on(&claims, users);
    let all = claims.clone();
    watches.on_change(&slices, move |change| affected(&all, |claim| in_pools(claim, change)));
    let all = claims.clone();
    watches.on_change(&rules, move |change| affected(&all, |claim| is_ruled(claim, change)));
    let evicted = status::Evicted::default();
    let world = World { claims, slices, rules };
    status::start(cx, &pods, &world, evicted.clone());
    let recorder = cx.recorder(NAME);
    watches.run(WORKERS, Eviction { cx: cx.clone(), recorder, pods, world, waiting: Mutex::default(), evicted });
}

/// Where the taints of a pod are read from. Cheap to clone.
#[derive(Clone)]
pub struct World {
    claims: Informer<ResourceClaim>,
    slices: Informer<ResourceSlice>,
    rules: Informer<DeviceTaintRule>,
}

struct Eviction {
    cx: Context,
    recorder: Recorder,
    pods: Informer<Pod>,
    world: World,
    /// Which pods, by UID, were told that they will go.
    waiting: Mutex<HashMap<Key, String>>,
    evicted: status::Evicted,
}

// === impl World ===

impl World {
    /// The taints that end a pod, and when.
    fn taints(&self, pod: &Pod) -> Option<Taints> {
        let claims = self.claims.in_namespace(pod.namespace());
        let claims: Vec<Arc<ResourceClaim>> = claims.into_iter().filter(|claim| plan::is_used_by(claim, pod)).collect();
        if claims.is_empty() { None } else { plan::taints(&claims, &self.slices.list(), &self.rules.list()) }
    }
}

// === impl Eviction ===

impl Reconcile for Eviction {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(pod) = self.pods.get(key).filter(|pod| !pod.is_terminating() && plan::uses_devices(pod)) else {
            self.waiting.lock().remove(key);
            return Ok(Outcome::Done);
        };
        let now = crate::clock::now();
        let Some(taints) = self.world.taints(&pod) else {
            if self.waiting.lock().remove(key).is_some_and(|uid| uid == pod.uid()) {
                self.tell(&pod, "Cancelling deletion");
            }
            return Ok(Outcome::Done);
        };
        if let Ok(left) = Duration::try_from(taints.at.duration_since(now))
            && !left.is_zero()
        {
            self.waiting.lock().insert(key.clone(), pod.uid().to_owned());
            return Ok(Outcome::After(left));
        }
        self.tell(&pod, "Marking for deletion");
        evict(&self.cx.client, &pod, CAUSE, &exactly(&*pod), now).await?;
        self.evicted.count(&taints.rules);
        self.waiting.lock().remove(key);
        Ok(Outcome::Done)
    }
}

impl Eviction {
    fn tell(&self, pod: &Pod, message: &str) {
        self.recorder.event(&reference(pod), EventType::Normal, "DeviceTaintManagerEviction", message);
    }
}

/// The users of the claims that a change of devices concerns.
fn affected(claims: &Informer<ResourceClaim>, concerns: impl Fn(&ResourceClaim) -> bool) -> Vec<Key> {
    claims.list().iter().filter(|claim| concerns(claim)).flat_map(|claim| users(claim)).collect()
}

fn in_pools(claim: &ResourceClaim, change: &Change<ResourceSlice>) -> bool {
    let is_of = |slice: &ResourceSlice| plan::devices(claim).any(|d| plan::is_in(d, slice));
    match change {
        Change::Updated { old, new } => is_of(old) || is_of(new),
        Change::Added(slice) | Change::Deleted(slice) => is_of(slice),
    }
}

fn is_ruled(claim: &ResourceClaim, change: &Change<DeviceTaintRule>) -> bool {
    let rules = |rule: &DeviceTaintRule| plan::devices(claim).any(|device| plan::is_ruled(device, rule));
    match change {
        Change::Updated { old, new } => rules(old) || rules(new),
        Change::Added(rule) | Change::Deleted(rule) => rules(rule),
    }
}
