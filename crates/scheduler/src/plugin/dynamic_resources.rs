//! A pod's ResourceClaims: those that have no devices yet get some at the node, the others must be reached from there.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::kinds::resource::ResourceClaim;
use nakhoda_client::{Key, Resource};

use crate::devices::allocate::allocate;
use crate::devices::offer::selects_node;
use crate::devices::result::result;
use crate::devices::{Devices, allocation};
use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Reason, Reserve, Step, Verdict};
use crate::node::Node;
use crate::pod::PodInfo;

/// So many may use a claim at once.
const USERS: usize = 256;
const TOO_FEW: &str = "cannot allocate all claims";
const OUT_OF_REACH: &str = "resourceclaim not available on the node";

struct DynamicResources;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    let helped_by = Changes::NODE_ADDED.or(Changes::NODE_LABELS).or(Changes::DEVICES).or(Changes::POD_REMOVED);
    Plugin::named("DynamicResources").filter(DynamicResources, helped_by).reserve(DynamicResources).looking_around()
}

impl Filter for DynamicResources {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        if cycle.pod.devices.is_empty() {
            return Check::Skip;
        }
        let devices = cycle.cluster.devices();
        let claims = match claims(cycle.pod, devices) {
            Ok(claims) => claims,
            Err(why) => return Check::Hopeless(why),
        };
        Check::Each(Box::new(move |node| check(devices, &claims, node)))
    }
}

impl Reserve for DynamicResources {
    fn steps(&self, cycle: Cycle<'_>, node: &Node) -> Vec<Step> {
        let devices = cycle.cluster.devices();
        let Ok(claims) = claims(cycle.pod, devices) else { return Vec::new() };
        let open = unallocated(&claims);
        let Ok(Some(picks)) = allocate(devices, &open, node) else { return Vec::new() };
        let step = |claim: &Arc<ResourceClaim>| {
            let at = open.iter().position(|other| other.uid() == claim.uid());
            let allocation = at.map(|at| Box::new(result(devices, claim, at, &picks)));
            Step::Reserve { claim: Key::of(&**claim), allocation }
        };
        claims.iter().map(step).collect()
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// The claims of a pod, if each can be used by it.
fn claims(pod: &PodInfo, devices: &Devices) -> Result<Vec<Arc<ResourceClaim>>, Reason> {
    let mut claims = Vec::new();
    for wanted in &pod.devices {
        let Some(key) = &wanted.claim else {
            return Err(format!("pod \"{}\": ResourceClaim not created yet", pod.key).into());
        };
        let claim = devices.claim(key).ok_or_else(|| format!("resourceclaim \"{}\" not found", key.name))?;
        if claim.is_terminating() {
            return Err(format!("resourceclaim \"{}\" is being deleted", key.name).into());
        }
        if wanted.generated && claim.controller().is_none_or(|owner| owner.uid != pod.uid) {
            let why = format!("ResourceClaim {key} was not created for Pod {} (Pod is not owner)", pod.key);
            return Err(why.into());
        }
        if devices.in_flight(key).is_some_and(|other| other != pod.uid) {
            return Err(format!("resource claim {key} is in the process of being allocated").into());
        }
        let users = claim.status.as_ref().and_then(|s| s.reserved_for.as_deref()).unwrap_or_default();
        if users.len() >= USERS && users.iter().all(|user| user.uid != pod.uid) {
            return Err("resourceclaim in use".into());
        }
        claims.push(claim.clone());
    }
    Ok(claims)
}

fn unallocated(claims: &[Arc<ResourceClaim>]) -> Vec<&ResourceClaim> {
    claims.iter().map(|claim| &**claim).filter(|claim| allocation(claim).is_none()).collect()
}

fn check(devices: &Devices, claims: &[Arc<ResourceClaim>], node: &Node) -> Verdict {
    let mut selectors = claims.iter().filter_map(|claim| allocation(claim)?.node_selector.as_ref());
    if !selectors.all(|selector| selects_node(selector, node)) {
        return Verdict::hopeless(OUT_OF_REACH);
    }
    match allocate(devices, &unallocated(claims), node) {
        Ok(Some(_)) => Verdict::Pass,
        Ok(None) => Verdict::hopeless(TOO_FEW),
        Err(error) => Verdict::hopeless(error.to_string()),
    }
}
