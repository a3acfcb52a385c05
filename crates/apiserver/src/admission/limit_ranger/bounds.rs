//! What a range says of a pod or a claim, in upstream's words.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, PodSpec, ResourceRequirements};
use nakhoda_api::quantity::Quantity;

use crate::rules::check::list;
use crate::rules::defaults::Resources;

pub(crate) type Amounts = BTreeMap<String, Quantity>;

/// What is asked for.
#[derive(Default)]
struct Asked {
    requests: Amounts,
    limits: Amounts,
}

/// The faults of a pod.
pub(super) fn pod(range: &LimitRange, pod: &Pod) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let mut faults = Vec::new();
    for item in range.spec.iter().flat_map(|s| &s.limits) {
        match item.type_.as_str() {
            "Container" => {
                for container in spec.containers.iter().chain(list(&spec.init_containers)) {
                    check(item, &asked(container), &mut faults);
                }
            }
            "Pod" => check(item, &total(spec), &mut faults),
            _ => {}
        }
    }
    faults
}

/// The faults of a claim.
pub(super) fn claim(range: &LimitRange, claim: &PersistentVolumeClaim) -> Vec<String> {
    let resources = claim.spec.as_ref().and_then(|s| s.resources.as_ref());
    let requests = amounts(resources.and_then(|r| r.requests.as_ref()));
    let asked = Asked { requests, ..Asked::default() };
    let mut faults = Vec::new();
    let items = range.spec.iter().flat_map(|s| &s.limits);
    for item in items.filter(|item| item.type_ == "PersistentVolumeClaim") {
        for (name, bound) in amounts(item.min.as_ref()) {
            faults.extend(least(&item.type_, &name, bound, &asked));
        }
        for (name, bound) in amounts(item.max.as_ref()) {
            let words = format!("maximum {name} usage per {} is {bound}", item.type_);
            faults.extend(match asked.requests.get(&name) {
                None => Some(format!("{words}.  No request is specified")),
                Some(request) if *request > bound => Some(format!("{words}, but request is {request}")),
                Some(_) => None,
            });
        }
    }
    faults
}

fn check(item: &LimitRangeItem, asked: &Asked, faults: &mut Vec<String>) {
    for (name, bound) in amounts(item.min.as_ref()) {
        faults.extend(least(&item.type_, &name, bound, asked));
    }
    for (name, bound) in amounts(item.max.as_ref()) {
        faults.extend(most(&item.type_, &name, bound, asked));
    }
    for (name, bound) in amounts(item.max_limit_request_ratio.as_ref()) {
        faults.extend(ratio(&item.type_, &name, bound, asked));
    }
}

fn least(type_: &str, name: &str, bound: Quantity, asked: &Asked) -> Option<String> {
    let words = format!("minimum {name} usage per {type_} is {bound}");
    match (asked.requests.get(name), asked.limits.get(name)) {
        (None, _) => Some(format!("{words}.  No request is specified")),
        (Some(request), _) if *request < bound => Some(format!("{words}, but request is {request}")),
        (_, Some(limit)) if *limit < bound => Some(format!("{words}, but limit is {limit}")),
        _ => None,
    }
}

fn most(type_: &str, name: &str, bound: Quantity, asked: &Asked) -> Option<String> {
    let words = format!("maximum {name} usage per {type_} is {bound}");
    match (asked.limits.get(name), asked.requests.get(name)) {
        (None, _) => Some(format!("{words}.  No limit is specified")),
        (Some(limit), _) if *limit > bound => Some(format!("{words}, but limit is {limit}")),
        (_, Some(request)) if *request > bound => Some(format!("{words}, but request is {request}")),
        _ => None,
    }
}

fn ratio(type_: &str, name: &str, bound: Quantity, asked: &Asked) -> Option<String> {
    let words = format!("{name} max limit to request ratio per {type_} is {bound}, but");
    let of = |amounts: &Amounts| amounts.get(name).copied().filter(|amount| !amount.is_zero());
    let Some(request) = of(&asked.requests) else {
        return Some(format!("{words} no request is specified or request is 0"));
    };
    let Some(limit) = of(&asked.limits) else {
        return Some(format!("{words} no limit is specified or limit is 0"));
    };
    #[allow(clippy::cast_precision_loss, reason = "upstream shows and compares it so")]
    let (observed, bound) = (limit.nano() as f64 / request.nano() as f64, bound.nano() as f64 / 1e9);
    (observed > bound).then(|| format!("{words} provided ratio is {observed:.6}"))
}

fn amounts(given: Option<&Resources>) -> Amounts {
    given.into_iter().flatten().filter_map(|(name, q)| Some((name.clone(), Quantity::try_from(q).ok()?))).collect()
}

fn asked(container: &Container) -> Asked {
    of(container.resources.as_ref())
}

fn of(resources: Option<&ResourceRequirements>) -> Asked {
    let (requests, limits) = (resources.and_then(|r| r.requests.as_ref()), resources.and_then(|r| r.limits.as_ref()));
    Asked { requests: amounts(requests), limits: amounts(limits) }
}

/// What a node has to have for the pod: what it requests as a whole and what it costs beside its containers.
pub(crate) fn requests(spec: &PodSpec) -> Amounts {
    let mut all = sum(spec, |asked| asked.requests, of(spec.resources.as_ref()).requests);
    add(&mut all, &amounts(spec.overhead.as_ref()));
    all
}

/// What the pod asks for as a whole.
fn total(spec: &PodSpec) -> Asked {
    let whole = of(spec.resources.as_ref());
    Asked {
        requests: sum(spec, |asked| asked.requests, whole.requests),
        limits: sum(spec, |asked| asked.limits, whole.limits),
    }
}

/// All containers together, or the init container that needs more beside the sidecars before it; what is said
/// of the pod goes before both.
fn sum(spec: &PodSpec, side: fn(Asked) -> Amounts, whole: Amounts) -> Amounts {
    let (mut all, mut sidecars, mut start) = (Amounts::new(), Amounts::new(), Amounts::new());
    for container in &spec.containers {
        add(&mut all, &side(asked(container)));
    }
    for container in list(&spec.init_containers) {
        let mut own = side(asked(container));
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut all, &own);
            add(&mut sidecars, &own);
            own = sidecars.clone();
        } else {
            add(&mut own, &sidecars);
        }
        raise(&mut start, own);
    }
    raise(&mut all, start);
    all.extend(whole.into_iter().filter(|(name, _)| ["cpu", "memory"].contains(&name.as_str())));
    all
}

fn add(into: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *into.entry(name.clone()).or_default() += *amount;
    }
}

fn raise(into: &mut Amounts, to: Amounts) {
    for (name, amount) in to {
        let entry = into.entry(name).or_insert(amount);
        *entry = (*entry).max(amount);
    }
}
