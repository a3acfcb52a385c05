//! Endpoints: where a Service's traffic goes, in the old form that people still write by hand.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{EndpointAddress, EndpointSubset, Endpoints};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::address::{self, Port};
use crate::rules::check::{each, label, list, same, subdomain, text};
use crate::rules::defaults::fill;
use crate::rules::print::{NONE, first_three};

/// The kind. Its Rust type has the kind's own name, so this one tells that it is the set of all.
pub struct AllEndpoints;

const DEPRECATED: &str = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

impl Kind for AllEndpoints {
    type Object = Endpoints;

    fn info() -> Info {
        Info {
            short: &["ep"],
            storage: "services/endpoints",
            create_on_update: true,
            deprecated: Some(DEPRECATED),
            ..Info::of::<Endpoints>("endpoints", "endpoints", Scope::Namespaced)
        }
    }

    fn default(endpoints: &mut Endpoints) {
        for port in endpoints.subsets.iter_mut().flatten().flat_map(|s| s.ports.iter_mut().flatten()) {
            fill(&mut port.protocol, "TCP");
        }
    }

    fn validate(_: &Cx, new: &Endpoints, old: Option<&Endpoints>, errors: &mut Errors) {
        if old.is_some_and(|old| same(&old.subsets, &new.subsets)) {
            return;
        }
        for (i, one) in list(&new.subsets).iter().enumerate() {
            subset(errors, &Path::new("subsets").index(i), one);
        }
    }

    fn columns() -> Columns<Endpoints> {
        Columns::<Endpoints>::named().text("Endpoints", |e, _| targets(e).into()).age()
    }
}

fn subset(errors: &mut Errors, path: &Path, subset: &EndpointSubset) {
    let (ready, waiting) = (list(&subset.addresses), list(&subset.not_ready_addresses));
    if ready.is_empty() && waiting.is_empty() {
        errors.required(path, "must specify `addresses` or `notReadyAddresses`");
    }
    for (name, addresses) in [("addresses", ready), ("notReadyAddresses", waiting)] {
        for (i, one) in addresses.iter().enumerate() {
            target(errors, &path.child(name).index(i), one);
        }
    }
    let ports = list(&subset.ports);
    for (i, p) in ports.iter().enumerate() {
        let port = Port { name: &p.name, port: p.port, protocol: &p.protocol, app_protocol: &p.app_protocol };
        address::port(errors, &path.child("ports").index(i), &port, ports.len() > 1);
    }
}

fn target(errors: &mut Errors, path: &Path, target: &EndpointAddress) {
    each(errors, &path.child("ip"), target.ip.as_str(), names::is_valid_ip(&target.ip));
    if !text(&target.hostname).is_empty() {
        label(errors, &path.child("hostname"), text(&target.hostname));
    }
    if let Some(node) = &target.node_name {
        subdomain(errors, &path.child("nodeName"), node);
    }
    address::endpoint(errors, &path.child("ip"), &target.ip);
}

fn targets(endpoints: &Endpoints) -> String {
    if list(&endpoints.subsets).is_empty() {
        return NONE.into();
    }
    let mut targets = Vec::new();
    for subset in list(&endpoints.subsets) {
        let addresses = list(&subset.addresses).iter().map(|a| &a.ip);
        if list(&subset.ports).is_empty() {
            targets.extend(addresses.clone().cloned());
        }
        for port in list(&subset.ports) {
            targets.extend(addresses.clone().map(|ip| match ip.contains(':') {
                true => format!("[{ip}]:{}", port.port),
                false => format!("{ip}:{}", port.port),
            }));
        }
    }
    first_three(&targets)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn the_row_shows_three_targets_and_counts_the_rest() {
        let endpoints = json!({"metadata": {"name": "a"}, "subsets": [{
            "addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"port": 80}, {"port": 81}]}]});
        assert_eq!(row::<AllEndpoints>(endpoints)[1], "10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 1 more...");
        assert_eq!(row::<AllEndpoints>(json!({}))[1], "<none>");
    }

    #[test]
    fn faults_read_as_upstream_words_them() {
        assert_eq!(
            create::<AllEndpoints>(json!({"subsets": [{}, {"addresses": [{"ip": "127.0.0.1"}], "ports": [
                {"port": 0, "protocol": "TCP"}, {"name": "b", "port": 1, "protocol": "x"}]}]})),
            "[subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`, \
             subsets[1].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128), \
             subsets[1].ports[0].name: Required value, \
             subsets[1].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, \
             subsets[1].ports[1].protocol: Unsupported value: \"x\": supported values: \"SCTP\", \"TCP\", \"UDP\"]"
        );
    }
}
