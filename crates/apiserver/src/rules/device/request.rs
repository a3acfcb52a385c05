//! Requests of a claim, and what refers to them.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::resource::{DeviceConstraint, DeviceRequest, DeviceToleration};
use serde_json::Value;

use super::{REQUESTS_MAX, class, name, qualified_name, selectors, tolerations, unique, within};
use crate::rules::check::{list, text};
use crate::rules::defaults::fill;

const ALTERNATIVES_MAX: usize = 8;
const NO_REQUEST: &str =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

pub(super) fn default(request: &mut DeviceRequest) {
    if let Some(exactly) = &mut request.exactly {
        count(&mut exactly.allocation_mode, &mut exactly.count, &mut exactly.tolerations);
    }
    for one in request.first_available.iter_mut().flatten() {
        count(&mut one.allocation_mode, &mut one.count, &mut one.tolerations);
    }
}

fn count(mode: &mut Option<String>, count: &mut Option<i64>, tolerations: &mut Option<Vec<DeviceToleration>>) {
    fill(mode, "ExactCount");
    if mode.as_deref() == Some("ExactCount") && count.unwrap_or(0) == 0 {
        *count = Some(1);
    }
    tolerations.iter_mut().flatten().for_each(|one| fill(&mut one.operator, "Equal"));
}

pub(super) fn check(errors: &mut Errors, path: &Path, request: &DeviceRequest) {
    name(errors, &path.child("name"), &request.name);
    let either = "exactly one of `exactly` or `firstAvailable` is required";
    match (&request.exactly, list(&request.first_available)) {
        (None, []) => errors.required(path, either),
        (Some(one), []) => {
            let at = path.child("exactly");
            class(errors, &at.child("deviceClassName"), &one.device_class_name);
            selectors(errors, &at.child("selectors"), list(&one.selectors));
            amount(errors, &at, text(&one.allocation_mode), one.count.unwrap_or(0));
            tolerations(errors, &at.child("tolerations"), list(&one.tolerations));
        }
        (None, all) => {
            let at = path.child("firstAvailable");
            if !within(errors, &at, all.len(), ALTERNATIVES_MAX) {
                return;
            }
            for (i, one) in all.iter().enumerate() {
                let at = at.index(i);
                name(errors, &at.child("name"), &one.name);
                class(errors, &at.child("deviceClassName"), &one.device_class_name);
                selectors(errors, &at.child("selectors"), list(&one.selectors));
                amount(errors, &at, text(&one.allocation_mode), one.count.unwrap_or(0));
                tolerations(errors, &at.child("tolerations"), list(&one.tolerations));
            }
            unique(errors, &at, all.iter().map(|one| one.name.as_str()));
        }
        _ => errors.invalid(path, Value::Null, format!("{either}, but multiple fields are set")),
    }
}

fn amount(errors: &mut Errors, path: &Path, mode: &str, count: i64) {
    match mode {
        "All" if count != 0 => {
            errors.invalid(&path.child("count"), count, "must not be specified when allocationMode is 'All'");
        }
        "All" => {}
        "ExactCount" if count <= 0 => errors.invalid(&path.child("count"), count, "must be greater than zero"),
        "ExactCount" => {}
        other => errors.not_supported(&path.child("allocationMode"), other, &["All", "ExactCount"]),
    }
}

pub(super) fn constraint(errors: &mut Errors, path: &Path, constraint: &DeviceConstraint, requests: &[DeviceRequest]) {
    references(errors, &path.child("requests"), list(&constraint.requests), requests);
    match (&constraint.match_attribute, &constraint.distinct_attribute) {
        (Some(attribute), _) => qualified_name(errors, &path.child("matchAttribute"), attribute, true),
        (None, Some(attribute)) => qualified_name(errors, &path.child("distinctAttribute"), attribute, true),
        (None, None) => errors.required(
            path,
            "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields are set",
        ),
    }
}

/// Names of requests, or of alternatives of one.
pub(super) fn references(errors: &mut Errors, path: &Path, named: &[String], requests: &[DeviceRequest]) {
    if !within(errors, path, named.len(), REQUESTS_MAX) {
        return;
    }
    for (i, one) in named.iter().enumerate() {
        let (at, parts) = (path.index(i), one.split('/').collect::<Vec<_>>());
        if parts.len() > 2 {
            errors.invalid(&at, one.as_str(), NO_REQUEST);
            continue;
        }
        parts.iter().for_each(|part| name(errors, &at, part));
        let request = requests.iter().find(|request| request.name == parts[0]);
        let has = |part: &&str| {
            request.is_some_and(|request| list(&request.first_available).iter().any(|one| one.name == **part))
        };
        if request.is_none() || !parts.get(1).is_none_or(has) {
            errors.invalid(&at, one.as_str(), NO_REQUEST);
        }
    }
    unique(errors, path, named.iter().map(String::as_str));
}
