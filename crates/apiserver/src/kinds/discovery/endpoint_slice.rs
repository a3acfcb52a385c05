//! EndpointSlice: where a Service's traffic goes.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::discovery::{Endpoint, EndpointPort, EndpointSlice};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::address::{self, PROTOCOLS};
use crate::rules::check::{chosen, each, immutable, label, labels, list, picked, qualified, same, subdomain, text};
use crate::rules::defaults::fill_absent;
use crate::rules::print::first_three;

/// The kind.
pub struct EndpointSlices;

const ENDPOINTS_MAX: usize = 1000;
const ADDRESSES_MAX: usize = 100;
const PORTS_MAX: usize = 20_000;
const HINTS_MAX: usize = 8;

impl Kind for EndpointSlices {
    type Object = EndpointSlice;

    fn info() -> Info {
        Info {
            generation: true,
            counted: &["labels"],
            ..Info::of::<EndpointSlice>("endpointslices", "endpointslice", Scope::Namespaced)
        }
    }

    fn default(slice: &mut EndpointSlice) {
        for port in slice.ports.iter_mut().flatten() {
            port.name.get_or_insert_default();
            fill_absent(&mut port.protocol, "TCP");
        }
    }

    /// What v1 calls the deprecated topology is kept of old slices, not taken from new ones.
    fn prepare(_: &Cx, new: &mut EndpointSlice, old: Option<&EndpointSlice>) {
        if old.is_none() {
            new.endpoints.iter_mut().flatten().for_each(|endpoint| endpoint.deprecated_topology = None);
        }
    }

    fn validate(_: &Cx, new: &EndpointSlice, old: Option<&EndpointSlice>, errors: &mut Errors) {
        chosen(errors, &Path::new("addressType"), &new.address_type, &["FQDN", "IPv4", "IPv6"]);
        ports(errors, &Path::new("ports"), list(&new.ports));
        // what was stored under older rules may stay
        if old.is_none_or(|old| !same(&old.endpoints, &new.endpoints)) {
            endpoints(errors, &Path::new("endpoints"), list(&new.endpoints), &new.address_type);
        }
        if let Some(old) = old {
            immutable(errors, &Path::new("addressType"), &new.address_type, &old.address_type);
        }
    }

    fn columns() -> Columns<EndpointSlice> {
        Columns::<EndpointSlice>::named()
            .text("AddressType", |s, _| s.address_type.clone().into())
            .text("Ports", |s, _| shown(list(&s.ports).iter().map(port_text)).into())
            .text("Endpoints", |s, _| shown(list(&s.endpoints).iter().flat_map(|e| e.addresses.clone())).into())
            .age()
    }
}

fn endpoints(errors: &mut Errors, path: &Path, endpoints: &[Endpoint], family: &str) {
    if endpoints.len() > ENDPOINTS_MAX {
        return errors.too_many(path, endpoints.len(), ENDPOINTS_MAX);
    }
    for (i, one) in endpoints.iter().enumerate() {
        endpoint(errors, &path.index(i), one, family);
    }
}

fn endpoint(errors: &mut Errors, path: &Path, endpoint: &Endpoint, family: &str) {
    let at = path.child("addresses");
    match endpoint.addresses.len() {
        0 => errors.required(&at, "must contain at least 1 address"),
        n if n > ADDRESSES_MAX => errors.too_many(&at, n, ADDRESSES_MAX),
        _ => {}
    }
    for (i, address) in endpoint.addresses.iter().enumerate() {
        match family {
            "IPv4" | "IPv6" => ip(errors, &at, i, address, family),
            "FQDN" => domain(errors, &at.index(i), address),
            _ => {}
        }
    }
    if let Some(node) = &endpoint.node_name {
        subdomain(errors, &path.child("nodeName"), node);
    }
    labels(errors, &path.child("deprecatedTopology"), endpoint.deprecated_topology.as_ref());
    if let Some(hostname) = &endpoint.hostname {
        label(errors, &path.child("hostname"), hostname);
    }
    if let Some(given) = &endpoint.hints {
        let zones: Vec<_> = list(&given.for_zones).iter().map(|zone| zone.name.as_str()).collect();
        hints(errors, &path.child("hints.forZones"), &zones, names::is_label_value);
        let nodes: Vec<_> = list(&given.for_nodes).iter().map(|node| node.name.as_str()).collect();
        hints(errors, &path.child("hints.forNodes"), &nodes, names::is_dns1123_subdomain);
    }
}

fn hints(errors: &mut Errors, path: &Path, given: &[&str], rule: fn(&str) -> Vec<String>) {
    if given.len() > HINTS_MAX {
        return errors.too_many(path, given.len(), HINTS_MAX);
    }
    for (i, name) in given.iter().enumerate() {
        let at = path.index(i).child("name");
        if given[..i].contains(name) {
            errors.duplicate(&at, *name);
        }
        each(errors, &at, *name, rule(name));
    }
}

fn ip(errors: &mut Errors, path: &Path, index: usize, value: &str, family: &str) {
    let faults = names::is_valid_ip(value);
    if !faults.is_empty() {
        return each(errors, &path.index(index), value, faults);
    }
    if value.contains(':') != (family == "IPv6") {
        errors.invalid(path, value, format!("must be an {family} address"));
    }
    address::endpoint(errors, &path.index(index), value);
}

fn domain(errors: &mut Errors, path: &Path, value: &str) {
    let name = value.strip_suffix('.').unwrap_or(value);
    let faults = names::is_dns1123_subdomain(name);
    if value.is_empty() {
        errors.required(path, "");
    } else if !faults.is_empty() {
        errors.invalid(path, name, faults.join(","));
    } else if !name.contains('.') {
        errors.invalid(path, name, "should be a domain with at least two segments separated by dots");
    }
}

fn ports(errors: &mut Errors, path: &Path, ports: &[EndpointPort]) {
    if ports.len() > PORTS_MAX {
        return errors.too_many(path, ports.len(), PORTS_MAX);
    }
    let mut seen = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let (at, name) = (path.index(i), text(&port.name));
        if !name.is_empty() {
            label(errors, &at.child("name"), name);
        }
        if seen.contains(&name) {
            errors.duplicate(&at.child("name"), name);
        }
        seen.push(name);
        picked(errors, &at.child("protocol"), port.protocol.as_ref(), PROTOCOLS);
        if let Some(protocol) = &port.app_protocol {
            qualified(errors, &at.child("appProtocol"), protocol);
        }
    }
}

fn port_text(port: &EndpointPort) -> String {
    match (port.port, &port.name) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.clone(),
        (None, None) => "*".into(),
    }
}

fn shown(items: impl Iterator<Item = String>) -> String {
    let text = first_three(&items.collect::<Vec<_>>());
    if text.is_empty() { "<unset>".into() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row};

    #[test]
    fn ports_are_completed_and_the_row_is_short() {
        let slice = defaulted::<EndpointSlices>(json!({
            "metadata": {"name": "a"}, "addressType": "IPv4", "ports": [{"port": 80}],
            "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}],
        }));
        assert_eq!(slice["ports"][0], json!({"name": "", "port": 80, "protocol": "TCP"}));
        assert_eq!(row::<EndpointSlices>(slice.clone())[1..4], ["IPv4", "80", "10.0.0.1,10.0.0.2"]);
        assert_eq!(create::<EndpointSlices>(slice), "");
    }

    #[test]
    fn faults_read_as_upstream_words_them() {
        assert_eq!(
            create::<EndpointSlices>(json!({"addressType": "IPv4", "endpoints": [
                {"addresses": []}, {"addresses": ["fd00::1", "x"]},
                {"addresses": ["10.0.0.1"], "hints": {"forZones": [{"name": "a"}, {"name": "a"}]}}]})),
            "[endpoints[0].addresses: Required value: must contain at least 1 address, \
             endpoints[1].addresses: Invalid value: \"fd00::1\": must be an IPv4 address, \
             endpoints[1].addresses[1]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), \
             endpoints[2].hints.forZones[1].name: Duplicate value: \"a\"]"
        );
    }

    /// The class of CVE-2021-25737 and CVE-2021-25740: traffic sent by a Service to what only a host can reach.
    #[test]
    fn no_endpoint_is_a_hosts_own() {
        for (kind, address) in [
            ("IPv4", "127.0.0.1"),
            ("IPv4", "127.8.8.8"),
            ("IPv4", "169.254.169.254"),
            ("IPv4", "224.0.0.9"),
            ("IPv4", "0.0.0.0"),
            ("IPv6", "::1"),
            ("IPv6", "fe80::1"),
            ("IPv6", "ff02::9"),
            ("IPv6", "::"),
            ("IPv6", "::ffff:127.0.0.1"),
        ] {
            let faults = create::<EndpointSlices>(json!({"addressType": kind, "endpoints": [{"addresses": [address]}]}));
            assert!(faults.contains("endpoints[0].addresses[0]: Invalid value"), "{address}: {faults}");
        }
    }
}
