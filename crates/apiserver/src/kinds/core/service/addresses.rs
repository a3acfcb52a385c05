//! Which addresses and families a Service may have, and how they may change.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::ServiceSpec;
use nakhoda_api::names;

use super::is_headless;
use crate::rules::check::{each, list, supported, text};

const POLICIES: &[&str] = &["PreferDualStack", "RequireDualStack", "SingleStack"];

pub(super) fn validate(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    if text(&spec.type_) == "ExternalName" {
        return;
    }
    let (ips, at) = (list(&spec.cluster_ips), path.child("clusterIPs"));
    match (text(&spec.cluster_ip), ips.first()) {
        ("", Some(_)) => errors.invalid(&at, ips.to_vec(), "must be empty when `clusterIP` is not specified"),
        ("", None) => {}
        (_, None) => errors.required(&at, ""),
        (one, Some(first)) if first != one => errors.invalid(&at, ips.to_vec(), "first value must match `clusterIP`"),
        _ => {}
    }
    families(errors, path, spec);
    let found = errors.iter().count();
    for (i, ip) in ips.iter().enumerate() {
        match ip.as_str() {
            "None" if i == 0 && ips.len() == 1 => {}
            "None" if i == 0 => errors.invalid(&at, ips.to_vec(), "'None' must be the first and only value"),
            _ => each(errors, &at.index(i), ip.as_str(), names::is_valid_ip(ip)),
        }
    }
    if ips.len() > 2 {
        errors.invalid(&at, ips.to_vec(), "may only hold up to 2 values");
    }
    if errors.iter().count() == found {
        pairs(errors, &at, spec);
    }
}

fn families(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    let (families, at) = (list(&spec.ip_families), path.child("ipFamilies"));
    for (i, family) in families.iter().enumerate() {
        supported(errors, &at.index(i), family, &["IPv4", "IPv6"]);
        if families[..i].contains(family) {
            errors.duplicate(&at.index(i), family.as_str());
        }
    }
    if let Some(policy) = &spec.ip_family_policy {
        supported(errors, &path.child("ipFamilyPolicy"), policy, POLICIES);
    }
}

/// Addresses fit their families, and two of them are of different ones.
fn pairs(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    let ips = list(&spec.cluster_ips);
    let six = |ip: &String| ip.contains(':');
    if let [first, second] = ips
        && six(first) == six(second)
    {
        errors.invalid(path, ips.to_vec(), "may specify no more than one IP for each IP family");
    }
    if is_headless(spec) {
        return;
    }
    for (i, (ip, family)) in ips.iter().zip(list(&spec.ip_families)).enumerate() {
        if (family == "IPv4" && six(ip)) || (family == "IPv6" && !six(ip)) {
            let why = format!("expected an {family} value as indicated by `ipFamilies[{i}]`");
            errors.invalid(&path.index(i), ip.as_str(), why);
        }
    }
}

/// The first address and family stay; the second may come and go.
pub(super) fn update(errors: &mut Errors, new: &ServiceSpec, old: &ServiceSpec) {
    let named = |s: &ServiceSpec| text(&s.type_) == "ExternalName";
    if named(new) || named(old) || (is_headless(new) && is_headless(old)) {
        return;
    }
    let at = Path::new("spec");
    let policy = new.ip_family_policy.as_deref();
    list_update(errors, &at, ["clusterIPs", "clusterIP"], policy, list(&new.cluster_ips), list(&old.cluster_ips));
    if is_headless(new) == is_headless(old) {
        list_update(errors, &at, ["ipFamilies", "ipFamily"], policy, list(&new.ip_families), list(&old.ip_families));
    }
}

fn list_update(
    errors: &mut Errors,
    path: &Path,
    [field, one]: [&str; 2],
    policy: Option<&str>,
    new: &[String],
    old: &[String],
) {
    let at = path.child(field);
    let value = || new.to_vec();
    if new.len() == old.len() {
        for (i, _) in new.iter().zip(old).enumerate().filter(|(_, (n, o))| n != o) {
            errors.invalid(&at.index(i), value(), "may not change once set");
        }
        return;
    }
    match (new.first(), old.first()) {
        (None, Some(_)) => errors.invalid(&at.index(0), value(), format!("primary {one} can not be unset")),
        (Some(new), Some(old)) if new != old => errors.invalid(&at.index(0), value(), "may not change once set"),
        _ => {}
    }
    if old.len() > new.len() && new.len() == 1 && policy != Some("SingleStack") {
        let why = format!("must be set to 'SingleStack' when releasing the secondary {one}");
        errors.invalid(&path.child("ipFamilyPolicy"), policy, why);
    }
}
