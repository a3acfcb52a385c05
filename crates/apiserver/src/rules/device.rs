//! Devices that pods claim: what classes, claims and templates say in common (`pkg/apis/resource/validation`).
//!
//! Absent: what [`crate::rules::cel`] lacks, the fields of capacity requests, and derived attributes.

use nakhoda_api::cel::device::Selector;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::resource::{
    DeviceClaim, DeviceSelector, DeviceTaint, DeviceToleration, OpaqueDeviceConfiguration, ResourceClaimSpec,
};
use nakhoda_api::names;
use serde_json::Value;

use crate::rules::check::{chosen, each, label, list, qualified, subdomain, supported, text};

mod request;

const DRIVER_MAX: usize = 63;
const POOL_MAX: usize = 253;
const SELECTORS_MAX: usize = 32;
const REQUESTS_MAX: usize = 32;
const CONSTRAINTS_MAX: usize = 32;
const CONFIG_MAX: usize = 32;
const EXPRESSION_MAX: usize = 10 * 1024;
const PARAMETERS_MAX: usize = 10 * 1024;
const EFFECTS: &[&str] = &["NoExecute", "NoSchedule", "None"];

/// Defaults of a claim.
pub fn default_claim(spec: &mut ResourceClaimSpec) {
    for one in spec.devices.iter_mut().filter_map(|devices| devices.requests.as_mut()).flatten() {
        request::default(one);
    }
}

/// What a claim asks for.
pub fn claim(errors: &mut Errors, path: &Path, claim: &DeviceClaim) {
    let (at, requests) = (path.child("requests"), list(&claim.requests));
    if within(errors, &at, requests.len(), REQUESTS_MAX) {
        for (i, one) in requests.iter().enumerate() {
            request::check(errors, &at.index(i), one);
        }
        unique(errors, &at, requests.iter().map(|one| one.name.as_str()));
    }
    let (at, constraints) = (path.child("constraints"), list(&claim.constraints));
    if within(errors, &at, constraints.len(), CONSTRAINTS_MAX) {
        for (i, one) in constraints.iter().enumerate() {
            request::constraint(errors, &at.index(i), one, requests);
        }
    }
    let (at, all) = (path.child("config"), list(&claim.config));
    if within(errors, &at, all.len(), CONFIG_MAX) {
        for (i, one) in all.iter().enumerate() {
            request::references(errors, &at.index(i).child("requests"), list(&one.requests), requests);
            config(errors, &at.index(i), one.opaque.as_ref());
        }
    }
}

/// Whether there are not too many; nothing else is told of a list that is too long.
pub fn within(errors: &mut Errors, path: &Path, count: usize, limit: usize) -> bool {
    if count > limit {
        errors.too_many(path, count, limit);
    }
    count <= limit
}

/// Names that are told once.
pub fn unique<'a>(errors: &mut Errors, path: &Path, names: impl Iterator<Item = &'a str>) {
    let mut seen = std::collections::HashSet::new();
    for (i, name) in names.enumerate() {
        if !seen.insert(name) {
            errors.duplicate(&path.index(i), name);
        }
    }
}

/// The name of a driver.
pub fn driver(errors: &mut Errors, path: &Path, name: &str) {
    if name.is_empty() {
        return errors.required(path, "");
    }
    if name.len() > DRIVER_MAX {
        errors.too_long(path, DRIVER_MAX);
    }
    each(errors, path, name, names::is_dns1123_subdomain(&name.to_lowercase()));
}

/// The name of a pool.
pub fn pool(errors: &mut Errors, path: &Path, name: &str) {
    if name.is_empty() {
        return errors.required(path, "");
    }
    if name.len() > POOL_MAX {
        errors.too_long(path, POOL_MAX);
    }
    name.split('/').for_each(|part| subdomain(errors, path, part));
}

/// The name of a class, which must be given.
pub fn class(errors: &mut Errors, path: &Path, name: &str) {
    match name {
        "" => errors.required(path, ""),
        name => subdomain(errors, path, name),
    }
}

/// Which devices fit.
pub fn selectors(errors: &mut Errors, path: &Path, selectors: &[DeviceSelector]) {
    if !within(errors, path, selectors.len(), SELECTORS_MAX) {
        return;
    }
    for (i, one) in selectors.iter().enumerate() {
        let at = path.index(i).child("cel");
        match &one.cel {
            None => errors.required(&at, ""),
            Some(cel) if cel.expression.len() > EXPRESSION_MAX => {
                errors.too_long(&at.child("expression"), EXPRESSION_MAX);
            }
            Some(cel) if cel.expression.trim().is_empty() => errors.required(&at.child("expression"), ""),
            Some(cel) => {
                if let Err(why) = Selector::compile(&cel.expression) {
                    errors.invalid(&at.child("expression"), cel.expression.as_str(), why.to_string());
                }
            }
        }
    }
}

/// All settings of a class.
pub fn configs<'a>(
    errors: &mut Errors,
    path: &Path,
    configs: impl ExactSizeIterator<Item = Option<&'a OpaqueDeviceConfiguration>>,
) {
    if within(errors, path, configs.len(), CONFIG_MAX) {
        configs.enumerate().for_each(|(i, one)| config(errors, &path.index(i), one));
    }
}

/// Settings that only the driver understands.
fn config(errors: &mut Errors, path: &Path, opaque: Option<&OpaqueDeviceConfiguration>) {
    let at = path.child("opaque");
    let Some(opaque) = opaque else { return errors.required(&at, "") };
    driver(errors, &at.child("driver"), &opaque.driver);
    let (at, value) = (at.child("parameters"), &opaque.parameters.0);
    match value {
        Value::Null => errors.required(&at, ""),
        value if value.to_string().len() > PARAMETERS_MAX => errors.too_long(&at, PARAMETERS_MAX),
        Value::Object(_) => {}
        _ => errors.invalid(&at, "<value omitted>", "must be a valid JSON object"),
    }
}

/// A mark that keeps claims away.
pub fn taint(errors: &mut Errors, path: &Path, taint: &DeviceTaint) {
    qualified(errors, &path.child("key"), &taint.key);
    let value = text(&taint.value);
    each(errors, &path.child("value"), value, names::is_label_value(value));
    chosen(errors, &path.child("effect"), &taint.effect, EFFECTS);
}

/// Taints that do not matter.
fn tolerations(errors: &mut Errors, path: &Path, tolerations: &[DeviceToleration]) {
    for (i, one) in tolerations.iter().enumerate() {
        let (at, key, value) = (path.index(i), text(&one.key), text(&one.value));
        if !key.is_empty() {
            qualified(errors, &at.child("key"), key);
        }
        match text(&one.operator) {
            "Exists" if !value.is_empty() => {
                errors.invalid(&at.child("value"), value, "must be empty for operator `Exists`");
            }
            "Exists" => {}
            "Equal" => each(errors, &at.child("value"), value, names::is_label_value(value)),
            operator => chosen(errors, &at.child("operator"), operator, &["Equal", "Exists"]),
        }
        if !text(&one.effect).is_empty() {
            supported(errors, &at.child("effect"), text(&one.effect), EFFECTS);
        }
    }
}

/// An attribute's or a capacity's name behind its domain.
pub fn qualified_name(errors: &mut Errors, path: &Path, name: &str, fully: bool) {
    let identifier = |errors: &mut Errors, part: &str| each(errors, path, part, names::is_c_identifier(part));
    match name.split('/').collect::<Vec<_>>().as_slice() {
        [part] => identifier(errors, part),
        [domain, part] => {
            match *domain {
                "" => errors.invalid(path, "", "the domain must not be empty"),
                domain => driver(errors, path, domain),
            }
            match *part {
                "" => errors.invalid(path, "", "the name must not be empty"),
                part => identifier(errors, part),
            }
        }
        _ => {}
    }
    if fully && !name.contains('/') {
        errors.invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash");
    }
}

/// The name of a request or of a device.
pub fn name(errors: &mut Errors, path: &Path, name: &str) {
    label(errors, path, name);
}
