//! What a range says of a pod or a claim, in upstream's words.

use nakhoda_api::kinds::core::{Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod, PodSpec};
use nakhoda_api::quantity::Quantity;
use nakhoda_api::resources::{Amounts, Side, add, amounts, of_containers};

use crate::rules::check::list;

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

fn asked(container: &Container) -> Asked {
    let resources = container.resources.as_ref();
    Asked { requests: Side::Requests.of(resources), limits: Side::Limits.of(resources) }
}

/// What a node has to have for the pod: what it requests as a whole and what it costs beside its containers.
pub(crate) fn requests(spec: &PodSpec) -> Amounts {
    let mut all = sum(spec, Side::Requests);
    add(&mut all, &amounts(spec.overhead.as_ref()));
    all
}

/// What the pod asks for as a whole.
fn total(spec: &PodSpec) -> Asked {
    Asked {
        requests: sum(spec, Side::Requests),
        limits: sum(spec, Side::Limits),
    }
}

/// What is said of the pod goes before what its containers come to.
fn sum(spec: &PodSpec, side: Side) -> Amounts {
    let mut all = of_containers(spec, |container| side.of(container.resources.as_ref()));
    let whole = side.of(spec.resources.as_ref());
    all.extend(whole.into_iter().filter(|(name, _)| ["cpu", "memory"].contains(&name.as_str())));
    all
}
