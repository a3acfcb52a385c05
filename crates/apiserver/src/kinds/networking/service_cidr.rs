//! ServiceCIDR: a range of addresses that Services are given.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::networking::ServiceCIDR;
use nakhoda_api::network::Network;
use serde_json::json;

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{IMMUTABLE, keep_metadata, keep_status, list};
use crate::rules::network::network;

/// The kind.
pub struct ServiceCIDRs;

impl Kind for ServiceCIDRs {
    type Object = ServiceCIDR;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            ..Info::of::<ServiceCIDR>("servicecidrs", "servicecidr", Scope::Cluster)
        }
    }

    fn prepare(cx: &Cx, new: &mut ServiceCIDR, old: Option<&ServiceCIDR>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
    }

    fn validate(cx: &Cx, new: &ServiceCIDR, old: Option<&ServiceCIDR>, errors: &mut Errors) {
        let path = Path::new("spec.cidrs");
        match old {
            _ if cx.subresource == "status" => {}
            None => ranges(errors, &path, cidrs(new)),
            Some(old) => changed(errors, &path, cidrs(new), cidrs(old)),
        }
    }

    fn columns() -> Columns<ServiceCIDR> {
        Columns::<ServiceCIDR>::named().text("CIDRs", |c, _| cidrs(c).join(",").into()).age()
    }
}

fn cidrs(cidr: &ServiceCIDR) -> &[String] {
    cidr.spec.as_ref().map(|spec| list(&spec.cidrs)).unwrap_or_default()
}

fn ranges(errors: &mut Errors, path: &Path, cidrs: &[String]) {
    match cidrs.len() {
        0 => return errors.required(path, "at least one CIDR required"),
        1 | 2 => {}
        _ => return errors.invalid(path, json!({"CIDRs": cidrs}), "may only hold up to 2 values"),
    }
    for (i, text) in cidrs.iter().enumerate() {
        network(errors, &path.index(i), text);
    }
    let families: Vec<_> = cidrs.iter().filter_map(|c| c.parse::<Network>().ok()).map(|n| n.address.is_ipv4()).collect();
    if families.len() == 2 && families[0] == families[1] {
        let why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        errors.invalid(path, cidrs.to_vec(), why);
    }
}

/// The other family may be added; nothing else may change.
fn changed(errors: &mut Errors, path: &Path, new: &[String], old: &[String]) {
    let grows = old.len() == 1 && new.len() == 2;
    if !grows && old.len() != new.len() {
        return errors.invalid(path, new.to_vec(), IMMUTABLE);
    }
    for (i, (new, _)) in new.iter().zip(old).enumerate().filter(|(_, (new, old))| new != old) {
        errors.invalid(&path.index(i), new.as_str(), IMMUTABLE);
    }
    if grows {
        ranges(errors, path, new);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, update};

    #[test]
    fn a_second_family_may_be_added_and_nothing_else_changed() {
        let cidr = |cidrs: &[&str]| json!({"spec": {"cidrs": cidrs}});
        let one = cidr(&["10.0.0.0/24"]);
        assert_eq!(create::<ServiceCIDRs>(one.clone()), "");
        assert_eq!(update::<ServiceCIDRs>(one.clone(), cidr(&["10.0.0.0/24", "fd00::/64"])), "");
        assert!(update::<ServiceCIDRs>(one.clone(), cidr(&["10.0.0.0/24", "10.1.0.0/24"])).contains("no more than one"));
        assert_eq!(
            update::<ServiceCIDRs>(one, cidr(&["10.1.0.0/24"])),
            "spec.cidrs[0]: Invalid value: \"10.1.0.0/24\": field is immutable"
        );
    }
}
