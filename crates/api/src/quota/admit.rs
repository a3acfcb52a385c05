//! Whether a request fits into the quotas of its namespace, and what they hold afterwards.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Measured, Requirement, counts, scopes, stated};
use crate::GroupResource;
use crate::kinds::core::ResourceQuota;
use crate::quantity::Quantity;
use crate::resources::{Amounts, add};

/// A write of an object that may take more than before.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Which resource.
    pub resource: &'a GroupResource,
    /// Which part of the object; a status is never refused, it is counted.
    pub subresource: &'a str,
    /// The object as it was, if it was.
    pub old: Option<&'a dyn Measured>,
    /// The object as it will be.
    pub new: &'a dyn Measured,
    /// The time.
    pub now: Timestamp,
}

/// What nobody may have unless a quota says so.
#[derive(Clone, Debug, Default)]
pub struct Limited {
    /// Of which resource.
    pub resource: GroupResource,
    /// Names that contain one of these.
    pub contains: Vec<String>,
    /// Objects in these scopes.
    pub scopes: Vec<Requirement>,
}

/// What one quota holds once the request is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Which of the quotas.
    pub quota: usize,
    /// All that is used of it.
    pub used: Amounts,
}

/// Why a request is refused, in upstream's words.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It does not say what it takes.
    #[error("failed quota: {quota}: {why}")]
    Unsaid {
        /// Of which quota.
        quota: String,
        /// What it would have to say.
        why: String,
    },
    /// Nobody has counted yet.
    #[error("status unknown for quota: {quota}, resources: {}", names.join(","))]
    Uncounted {
        /// Of which quota.
        quota: String,
        /// Of what.
        names: Vec<String>,
    },
    /// It gives what nobody has.
    #[error("quota usage is negative for resource(s): {}", _0.join(","))]
    Negative(Vec<String>),
    /// It takes what only a quota may allow.
    #[error("insufficient quota to consume: {}", _0.join(","))]
    Uncovered(Vec<String>),
    /// It is of a kind that only a quota may allow.
    #[error("insufficient quota to match these scopes: [{}]", _0.iter().map(told).collect::<Vec<_>>().join(" "))]
    UncoveredScopes(Vec<Requirement>),
    /// It takes more than is left.
    #[error(
        "exceeded quota: {quota}, requested: {}, used: {}, limited: {}",
        list(requested),
        list(used),
        list(limited)
    )]
    Exceeded {
        /// Of which quota.
        quota: String,
        /// What it takes.
        requested: Amounts,
        /// What was taken before.
        used: Amounts,
        /// What may be taken.
        limited: Amounts,
    },
}

/// A quota that the request falls under.
struct Interested<'a> {
    index: usize,
    quota: &'a ResourceQuota,
    delta: Amounts,
}

/// What a request costs; nothing if it takes no more than before.
pub fn charges(quotas: &[ResourceQuota], request: &Request<'_>, limited: &[Limited]) -> Result<Vec<Charge>, Refusal> {
    if request.old.is_some_and(|old| !moves(request, old)) {
        return Ok(Vec::new());
    }
    let (mut interested, mut covered) = (Vec::new(), BTreeSet::new());
    for (index, quota) in quotas.iter().enumerate().filter(|(_, quota)| matches(quota, request.resource, request.new)) {
        covered.extend(check(quota, request)?);
        interested.push(Interested { index, quota, delta: Amounts::new() });
    }
    let usage = request.new.usage(request.now);
    let negative: Vec<String> = usage.iter().filter(|(_, q)| q.is_negative()).map(|(name, _)| name.clone()).collect();
    if !negative.is_empty() {
        return Err(Refusal::Negative(negative));
    }
    let more = request.old.map_or_else(|| usage.clone(), |old| increase(&usage, &old.usage(request.now)));
    for one in &mut interested {
        let was = request.old.is_some_and(|old| matches(one.quota, request.resource, old));
        one.delta = without_zeros(if was { &more } else { &usage });
    }
    let idle = if interested.is_empty() {
        without_zeros(&more).is_empty()
    } else {
        interested.iter().all(|one| one.delta.is_empty())
    };
    if idle {
        return Ok(Vec::new());
    }
    cover(quotas, request, limited, &usage, &covered)?;
    let mut charges = Vec::new();
    for one in interested.iter().filter(|one| !one.delta.is_empty()) {
        charges.extend(charge(one, request)?);
    }
    Ok(charges)
}

/// A change of a pod matters if it changes its scope, or on the way that is made for what it takes.
fn moves(request: &Request<'_>, old: &dyn Measured) -> bool {
    let scope = Requirement { scope_name: "Terminating".into(), operator: "Exists".into(), values: None };
    let pods = request.resource.group.is_empty() && request.resource.resource == "pods";
    !pods || !request.subresource.is_empty() || old.is_in(&scope) != request.new.is_in(&scope)
}

fn matches(quota: &ResourceQuota, resource: &GroupResource, object: &dyn Measured) -> bool {
    let hard = quota.status.as_ref().and_then(|s| s.hard.as_ref());
    hard.into_iter().flatten().any(|(name, _)| counts(resource, name))
        && scopes(quota).iter().all(|scope| object.is_in(scope))
}

/// The names of a quota that the request may take of.
fn check(quota: &ResourceQuota, request: &Request<'_>) -> Result<Vec<String>, Refusal> {
    let name = || quota.metadata.name.clone().unwrap_or_default();
    let (hard, used) = stated(quota);
    let names: Vec<String> = hard.keys().filter(|name| counts(request.resource, name)).cloned().collect();
    if let Some(why) = request.new.unsaid(&names.iter().map(String::as_str).collect::<Vec<_>>()) {
        return Err(Refusal::Unsaid { quota: name(), why });
    }
    if names.iter().any(|name| !used.contains_key(name)) {
        return Err(Refusal::Uncounted { quota: name(), names });
    }
    Ok(names)
}

/// What may only be had under a quota must have one.
fn cover(
    quotas: &[ResourceQuota],
    request: &Request<'_>,
    limited: &[Limited],
    usage: &Amounts,
    covered: &BTreeSet<String>,
) -> Result<(), Refusal> {
    let mine: Vec<&Limited> = limited.iter().filter(|l| l.resource == *request.resource).collect();
    let is_limited = |name: &str| mine.iter().any(|l| l.contains.iter().any(|part| name.contains(part.as_str())));
    let bare = usage.iter().filter(|(name, q)| **q > Quantity::ZERO && is_limited(name) && !covered.contains(*name));
    let bare: Vec<String> = bare.map(|(name, _)| name.clone()).collect();
    if !bare.is_empty() {
        return Err(Refusal::Uncovered(bare));
    }
    let named: BTreeSet<String> =
        quotas.iter().flat_map(scopes).filter(|scope| request.new.is_in(scope)).map(|scope| scope.scope_name).collect();
    let demanded = limited.iter().flat_map(|l| &l.scopes).filter(|scope| request.new.is_in(scope));
    let bare: Vec<Requirement> = demanded.filter(|scope| !named.contains(&scope.scope_name)).cloned().collect();
    if bare.is_empty() { Ok(()) } else { Err(Refusal::UncoveredScopes(bare)) }
}

fn charge(one: &Interested<'_>, request: &Request<'_>) -> Result<Option<Charge>, Refusal> {
    let (hard, used) = stated(one.quota);
    let requested = mask(&one.delta, |name| hard.contains_key(name));
    let mut after = used.clone();
    add(&mut after, &requested);
    let over = |name: &str| requested.contains_key(name) && after.get(name) > hard.get(name);
    if request.subresource != "status" && hard.keys().any(|name| over(name)) {
        return Err(Refusal::Exceeded {
            quota: one.quota.metadata.name.clone().unwrap_or_default(),
            requested: mask(&requested, over),
            used: mask(&used, over),
            limited: mask(&hard, over),
        });
    }
    Ok((after != used).then_some(Charge { quota: one.index, used: after }))
}

/// What there is more of than before.
fn increase(new: &Amounts, old: &Amounts) -> Amounts {
    let more = |(name, amount): (&String, &Quantity)| {
        let before = old.get(name).copied().unwrap_or_default();
        (name.clone(), if *amount > before { *amount - before } else { Quantity::ZERO })
    };
    new.iter().map(more).collect()
}

fn mask(amounts: &Amounts, keep: impl Fn(&str) -> bool) -> Amounts {
    amounts.iter().filter(|(name, _)| keep(name)).map(|(name, amount)| (name.clone(), *amount)).collect()
}

fn without_zeros(amounts: &Amounts) -> Amounts {
    amounts.iter().filter(|(_, amount)| !amount.is_zero()).map(|(name, amount)| (name.clone(), *amount)).collect()
}

fn list(amounts: &Amounts) -> String {
    amounts.iter().map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(",")
}

fn told(scope: &Requirement) -> String {
    let values = scope.values.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    format!("{{{} {} [{values}]}}", scope.scope_name, scope.operator)
}

#[cfg(test)]
mod tests;
