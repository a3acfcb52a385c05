//! Which devices of a node a pod's claims get: a search over all ways, that gives up after [`TRIES`].

use std::collections::{HashMap, HashSet};

use nakhoda_api::kinds::resource::{
    DeviceAttribute, DeviceConstraint, DeviceRequest, DeviceSelector, DeviceToleration, ResourceClaim,
};
use nakhoda_api::quantity::Quantity;

use super::Devices;
use super::offer::{Offer, Reach};
use crate::node::Node;

/// A claim has at most so many devices.
const MOST: usize = 32;
/// So many devices are tried for one node before it is given up.
const TRIES: usize = 100_000;

/// Why claims cannot be satisfied at a node, beside there being too little.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// A request names a class that is not there.
    #[error("request {request}: device class {class} does not exist")]
    Class {
        /// Of the claim.
        request: String,
        /// By name.
        class: String,
    },
    /// An expression is wrong, or fails for a device.
    #[error("request {request}: selector {expression:?}: {why}")]
    Selector {
        /// Of the claim.
        request: String,
        /// As it was written.
        expression: String,
        /// In CEL's words.
        why: String,
    },
    /// All devices are asked for, but not all are known now.
    #[error("request {0}: asks for all devices, but resource pool {1} is currently being updated")]
    Unsettled(String, String),
    /// Something is asked for that is not known here.
    #[error("request {0}: {1}")]
    Unsupported(String, &'static str),
    /// There are too many ways.
    #[error("too many ways to allocate devices were tried")]
    TooManyTries,
}

/// One way to satisfy a request.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The request, and which of its alternatives.
    pub name: (&'a str, Option<&'a str>),
    /// The class.
    pub class: &'a str,
    /// What else is demanded.
    pub selectors: &'a [DeviceSelector],
    /// How many; `None`: all there are.
    pub count: Option<usize>,
    /// Which taints do not matter.
    pub tolerations: &'a [DeviceToleration],
    /// Devices are only looked at.
    pub admin: bool,
}

/// A device for a request.
#[derive(Clone, Copy, Debug)]
pub struct Pick<'a> {
    /// For which claim, by its place.
    pub claim: usize,
    /// For what.
    pub want: Want<'a>,
    /// Which.
    pub offer: Offer<'a>,
    at: usize,
}

struct Search<'a> {
    devices: &'a Devices,
    claims: &'a [&'a ResourceClaim],
    reach: Reach<'a>,
    picks: Vec<Pick<'a>>,
    taken: HashSet<usize>,
    matched: HashMap<(&'a str, usize), bool>,
    tries: usize,
}

/// The devices that the claims get at a node; `None` if there are not enough.
pub fn allocate<'a>(
    devices: &'a Devices,
    claims: &'a [&'a ResourceClaim],
    node: &Node,
) -> Result<Option<Vec<Pick<'a>>>, AllocateError> {
    let mut search = Search {
        devices,
        claims,
        reach: devices.reach(node),
        picks: Vec::new(),
        taken: HashSet::new(),
        matched: HashMap::new(),
        tries: 0,
    };
    Ok(search.request(0, 0)?.then_some(search.picks))
}

// === impl Search ===

impl<'a> Search<'a> {
    /// Satisfies this request and all behind it.
    fn request(&mut self, claim: usize, request: usize) -> Result<bool, AllocateError> {
        let claims = self.claims;
        let Some(wanted) = claims.get(claim) else { return Ok(true) };
        let requests = wanted.spec.as_ref().and_then(|spec| spec.devices.as_ref()?.requests.as_deref());
        let Some(wanted) = requests.unwrap_or_default().get(request) else { return self.request(claim + 1, 0) };
        for want in wants(wanted)? {
            if self.devices.class(want.class).is_none() {
                return Err(AllocateError::Class { request: want.told(), class: want.class.into() });
            }
            let done = match want.count {
                Some(count) => self.some((claim, request), want, count, 0)?,
                None => self.all((claim, request), want)?,
            };
            if done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// So many more devices from this one on.
    fn some(&mut self, at: (usize, usize), want: Want<'a>, more: usize, from: usize) -> Result<bool, AllocateError> {
        if more == 0 {
            return self.request(at.0, at.1 + 1);
        }
        for index in from..self.reach.offers.len() {
            if self.reach.offers.len() - index < more {
                return Ok(false);
            }
            if self.is_meant(want, index)? && self.take(at.0, want, index) {
                if self.some(at, want, more - 1, index + 1)? {
                    return Ok(true);
                }
                self.give_back(1);
            }
        }
        Ok(false)
    }

    fn all(&mut self, at: (usize, usize), want: Want<'a>) -> Result<bool, AllocateError> {
        if let Some((_, pool)) = self.reach.unsettled {
            return Err(AllocateError::Unsettled(want.told(), pool.clone()));
        }
        let mut count = 0;
        for index in 0..self.reach.offers.len() {
            if !self.is_meant(want, index)? {
                continue;
            }
            if !self.take(at.0, want, index) {
                self.give_back(count);
                return Ok(false);
            }
            count += 1;
        }
        if count > 0 && self.request(at.0, at.1 + 1)? {
            return Ok(true);
        }
        self.give_back(count);
        Ok(false)
    }

    /// Whether the selectors mean a device.
    fn is_meant(&mut self, want: Want<'a>, index: usize) -> Result<bool, AllocateError> {
        self.tries += 1;
        if self.tries > TRIES {
            return Err(AllocateError::TooManyTries);
        }
        let offer = self.reach.offers[index];
        let class = self.devices.class(want.class).and_then(|class| class.spec.as_ref()?.selectors.as_deref());
        for selector in class.unwrap_or_default().iter().chain(want.selectors) {
            let Some(cel) = &selector.cel else { return Ok(false) };
            let key = (cel.expression.as_str(), index);
            let meant = match self.matched.get(&key) {
                Some(known) => *known,
                None => {
                    let compiled = self.devices.selector(&cel.expression);
                    let told = |why: String| AllocateError::Selector {
                        request: want.told(),
                        expression: cel.expression.clone(),
                        why,
                    };
                    let selector = (*compiled).as_ref().map_err(|why| told(why.clone()))?;
                    selector.matches(&offer.slice.spec.driver, offer.device).map_err(|e| told(e.to_string()))?
                }
            };
            self.matched.insert(key, meant);
            if !meant {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes a device, if it is to be had and the claim's constraints hold with it.
    fn take(&mut self, claim: usize, want: Want<'a>, at: usize) -> bool {
        let offer = self.reach.offers[at];
        let free = want.admin || (!self.taken.contains(&at) && !self.devices.is_given(&offer.id()));
        let many = self.picks.iter().filter(|pick| pick.claim == claim).count() >= MOST;
        if !free
            || many
            || self.devices.repels(&offer, want.tolerations)
            || !(want.admin || self.counters_allow(&offer))
        {
            return false;
        }
        self.picks.push(Pick { claim, want, offer, at });
        if !want.admin {
            self.taken.insert(at);
        }
        if self.constraints_hold(claim) {
            return true;
        }
        self.give_back(1);
        false
    }

    fn give_back(&mut self, count: usize) {
        for pick in self.picks.drain(self.picks.len() - count..) {
            if !pick.want.admin {
                self.taken.remove(&pick.at);
            }
        }
    }

    fn constraints_hold(&self, claim: usize) -> bool {
        let claim_spec = self.claims[claim].spec.as_ref().and_then(|spec| spec.devices.as_ref());
        let constraints = claim_spec.and_then(|devices| devices.constraints.as_deref()).unwrap_or_default();
        let picks: Vec<&Pick<'_>> = self.picks.iter().filter(|pick| pick.claim == claim).collect();
        constraints.iter().all(|constraint| holds(constraint, &picks))
    }

    /// Whether what the device consumes of its pool is left.
    fn counters_allow(&self, offer: &Offer<'a>) -> bool {
        let Some(consumed) = offer.device.consumes_counters.as_deref().filter(|list| !list.is_empty()) else {
            return true;
        };
        let pool = self.devices.pool(offer);
        let amount = |text: &str| Quantity::parse(text).unwrap_or(Quantity::ZERO);
        let is_used = |slice, device| {
            let other = Offer { slice, device };
            self.devices.is_given(&other.id()) || self.picks.iter().any(|p| !p.want.admin && p.offer.id() == other.id())
        };
        consumed.iter().all(|of| {
            let sets = pool.iter().flat_map(|slice| slice.spec.shared_counters.iter().flatten());
            let Some(set) = sets.into_iter().find(|set| set.name == of.counter_set) else { return false };
            of.counters.iter().all(|(name, counter)| {
                let Some(all) = set.counters.get(name) else { return false };
                let devices = pool.iter().flat_map(|s| s.spec.devices.iter().flatten().map(move |d| (*s, d)));
                let used = devices.filter(|(slice, device)| is_used(slice, device)).flat_map(|(_, device)| {
                    let of_set = device.consumes_counters.iter().flatten().filter(|c| c.counter_set == set.name);
                    of_set.filter_map(|c| Some(amount(&c.counters.get(name)?.value.0)))
                });
                used.sum::<Quantity>() + amount(&counter.value.0) <= amount(&all.value.0)
            })
        })
    }
}

// === impl Want ===

impl Want<'_> {
    /// `request`, or `request/alternative`.
    #[must_use]
    pub fn told(&self) -> String {
        match self.name {
            (request, None) => request.into(),
            (request, Some(alternative)) => format!("{request}/{alternative}"),
        }
    }
}

/// The ways to satisfy a request, the best first.
fn wants(request: &DeviceRequest) -> Result<Vec<Want<'_>>, AllocateError> {
    let count = |mode: Option<&str>, count: Option<i64>| {
        (mode != Some("All")).then(|| usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX))
    };
    let unknown = |capacity: bool, derived: bool| match (capacity, derived) {
        (true, _) => Err(AllocateError::Unsupported(request.name.clone(), "parts of a device cannot be asked for")),
        (_, true) => Err(AllocateError::Unsupported(request.name.clone(), "derived attributes are not known")),
        _ => Ok(()),
    };
    if let Some(exactly) = &request.exactly {
        unknown(exactly.capacity.is_some(), exactly.derived_attributes.is_some())?;
        return Ok(vec![Want {
            name: (&request.name, None),
            class: &exactly.device_class_name,
            selectors: exactly.selectors.as_deref().unwrap_or_default(),
            count: count(exactly.allocation_mode.as_deref(), exactly.count),
            tolerations: exactly.tolerations.as_deref().unwrap_or_default(),
            admin: exactly.admin_access == Some(true),
        }]);
    }
    let alternatives = request.first_available.as_deref().unwrap_or_default();
    let read = |sub: &'_ nakhoda_api::kinds::resource::DeviceSubRequest| {
        unknown(sub.capacity.is_some(), sub.derived_attributes.is_some())
    };
    alternatives.iter().try_for_each(read)?;
    Ok(alternatives
        .iter()
        .map(|sub| Want {
            name: (&request.name, Some(&sub.name)),
            class: &sub.device_class_name,
            selectors: sub.selectors.as_deref().unwrap_or_default(),
            count: count(sub.allocation_mode.as_deref(), sub.count),
            tolerations: sub.tolerations.as_deref().unwrap_or_default(),
            admin: false,
        })
        .collect())
}

/// Whether a list of requests, none meaning all, means what a device is for.
pub(super) fn covers(requests: &[String], want: &Want<'_>) -> bool {
    requests.is_empty() || requests.iter().any(|name| name == want.name.0 || *name == want.told())
}

fn holds(constraint: &DeviceConstraint, picks: &[&Pick<'_>]) -> bool {
    let requests = constraint.requests.as_deref().unwrap_or_default();
    let meant = picks.iter().filter(|pick| covers(requests, &pick.want));
    let values = |name| meant.clone().map(|pick| attribute(&pick.offer, name)).collect::<Option<Vec<_>>>();
    let same = constraint
        .match_attribute
        .as_deref()
        .is_none_or(|name| values(name).is_some_and(|values| values.windows(2).all(|pair| pair[0] == pair[1])));
    let other = constraint.distinct_attribute.as_deref().is_none_or(|name| {
        values(name).is_some_and(|values| values.iter().enumerate().all(|(i, value)| !values[..i].contains(value)))
    });
    same && other
}

/// An attribute by its full name; one of the driver's own domain may be told without it.
fn attribute<'a>(offer: &Offer<'a>, name: &str) -> Option<&'a DeviceAttribute> {
    let all = offer.device.attributes.as_ref()?;
    let short = || name.split_once('/').filter(|(domain, _)| *domain == offer.slice.spec.driver).map(|(_, id)| id);
    all.get(name).or_else(|| all.get(short()?))
}
