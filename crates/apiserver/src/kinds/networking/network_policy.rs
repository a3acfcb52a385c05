//! NetworkPolicy: which traffic pods take and send.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::networking::{IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec};
use nakhoda_api::names;
use nakhoda_api::network::Network;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{each, list, selector};
use crate::rules::network::{legacy_network, network_warning};
use crate::rules::print;

/// The kind.
pub struct NetworkPolicies;

impl Kind for NetworkPolicies {
    type Object = NetworkPolicy;

    fn info() -> Info {
        Info {
            short: &["netpol"],
            generation: true,
            ..Info::of::<NetworkPolicy>("networkpolicies", "networkpolicy", Scope::Namespaced)
        }
    }

    fn default(policy: &mut NetworkPolicy) {
        let spec = policy.spec.get_or_insert_default();
        let ingress = spec.ingress.iter_mut().flatten().filter_map(|rule| rule.ports.as_mut());
        let egress = spec.egress.iter_mut().flatten().filter_map(|rule| rule.ports.as_mut());
        for port in ingress.chain(egress).flatten() {
            port.protocol.get_or_insert_with(|| "TCP".into());
        }
        if list(&spec.policy_types).is_empty() {
            let egress = !list(&spec.egress).is_empty();
            let types = ["Ingress"].into_iter().chain(egress.then_some("Egress"));
            spec.policy_types = Some(types.map(Into::into).collect());
        }
    }

    fn validate(_: &Cx, new: &NetworkPolicy, old: Option<&NetworkPolicy>, errors: &mut Errors) {
        let none = NetworkPolicySpec::default();
        let known: Vec<&str> = old.and_then(|old| old.spec.as_ref()).map(networks).unwrap_or_default();
        spec(errors, &Path::new("spec"), new.spec.as_ref().unwrap_or(&none), &known);
    }

    fn warnings(new: &NetworkPolicy, _: Option<&NetworkPolicy>) -> Vec<String> {
        let Some(spec) = &new.spec else { return Vec::new() };
        let mut warnings = Vec::new();
        for (path, _, peers) in rules(&Path::new("spec"), spec) {
            for (at, block) in peers.iter().enumerate().filter_map(|(i, p)| Some((i, p.ip_block.as_ref()?))) {
                let at = path.index(at).child("ipBlock");
                warnings.extend(network_warning(&at.child("cidr"), &block.cidr));
                let except = list(&block.except).iter().enumerate();
                warnings.extend(except.filter_map(|(i, one)| network_warning(&at.child("except").index(i), one)));
            }
        }
        warnings
    }

    fn columns() -> Columns<NetworkPolicy> {
        Columns::<NetworkPolicy>::named()
            .text("Pod-Selector", |p, _| {
                let selector = p.spec.as_ref().and_then(|spec| spec.pod_selector.clone());
                print::selector(&selector.unwrap_or_default()).into()
            })
            .age()
    }
}

/// Both kinds of rules: where their peers stand, their ports and their peers.
fn rules<'a>(
    path: &Path,
    spec: &'a NetworkPolicySpec,
) -> Vec<(Path, &'a [NetworkPolicyPort], &'a [NetworkPolicyPeer])> {
    let ingress = list(&spec.ingress).iter().enumerate();
    let egress = list(&spec.egress).iter().enumerate();
    let ingress =
        ingress.map(|(i, rule)| (path.child("ingress").index(i).child("from"), list(&rule.ports), list(&rule.from)));
    let egress = egress.map(|(i, rule)| (path.child("egress").index(i).child("to"), list(&rule.ports), list(&rule.to)));
    ingress.chain(egress).collect()
}

fn networks(spec: &NetworkPolicySpec) -> Vec<&str> {
    let rules = rules(&Path::default(), spec);
    let blocks = rules.into_iter().flat_map(|(_, _, peers)| peers).filter_map(|peer| peer.ip_block.as_ref());
    blocks.flat_map(|b| std::iter::once(b.cidr.as_str()).chain(list(&b.except).iter().map(String::as_str))).collect()
}

fn spec(errors: &mut Errors, path: &Path, spec: &NetworkPolicySpec, known: &[&str]) {
    selector(errors, &path.child("podSelector"), spec.pod_selector.as_ref());
    for (at, ports, peers) in rules(path, spec) {
        let rule = Path::new(at.as_str().rsplit_once('.').map_or("", |(rule, _)| rule));
        for (i, one) in ports.iter().enumerate() {
            port(errors, &rule.child("ports").index(i), one);
        }
        for (i, one) in peers.iter().enumerate() {
            peer(errors, &at.index(i), one, known);
        }
    }
    let (at, types) = (path.child("policyTypes"), list(&spec.policy_types));
    if types.len() > 2 {
        return errors.invalid(&at, types.to_vec(), "may not specify more than two policyTypes");
    }
    for (i, one) in types.iter().enumerate().filter(|(_, t)| !["Ingress", "Egress"].contains(&t.as_str())) {
        errors.not_supported(&at.index(i), one.as_str(), &["Ingress", "Egress"]);
    }
}

fn port(errors: &mut Errors, path: &Path, port: &NetworkPolicyPort) {
    if let Some(protocol) = port.protocol.as_deref().filter(|p| !["TCP", "UDP", "SCTP"].contains(p)) {
        errors.not_supported(&path.child("protocol"), protocol, &["TCP", "UDP", "SCTP"]);
    }
    let at = path.child("endPort");
    match (&port.port, port.end_port) {
        (Some(IntOrString::Int(number)), end) => {
            each(errors, &path.child("port"), *number, names::is_valid_port_num((*number).into()));
            let Some(end) = end else { return };
            if end < *number {
                errors.invalid(&at, *number, "must be greater than or equal to `port`");
            }
            each(errors, &at, end, names::is_valid_port_num(end.into()));
        }
        (Some(IntOrString::String(name)), end) => {
            if let Some(end) = end {
                errors.invalid(&at, end, "may not be specified when `port` is non-numeric");
            }
            each(errors, &path.child("port"), name.as_str(), names::is_valid_port_name(name));
        }
        (None, Some(end)) => errors.invalid(&at, end, "may not be specified when `port` is not specified"),
        (None, None) => {}
    }
}

fn peer(errors: &mut Errors, path: &Path, peer: &NetworkPolicyPeer, known: &[&str]) {
    selector(errors, &path.child("podSelector"), peer.pod_selector.as_ref());
    selector(errors, &path.child("namespaceSelector"), peer.namespace_selector.as_ref());
    let selects = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
    if let Some(given) = &peer.ip_block {
        block(errors, &path.child("ipBlock"), given, known);
        if selects {
            errors.forbidden(path, "may not specify both ipBlock and another peer");
        }
    } else if !selects {
        errors.required(path, "must specify a peer");
    }
}

/// What stood in the policy before may stay, wherever it stands now.
fn block(errors: &mut Errors, path: &Path, block: &IPBlock, known: &[&str]) {
    let check = |errors: &mut Errors, at: &Path, text: &str| {
        if !known.contains(&text) {
            legacy_network(errors, at, text);
        }
    };
    let at = path.child("cidr");
    if block.cidr.is_empty() {
        return errors.required(&at, "");
    }
    check(errors, &at, &block.cidr);
    let Ok(whole) = block.cidr.parse::<Network>() else { return };
    for (i, text) in list(&block.except).iter().enumerate() {
        let at = path.child("except").index(i);
        check(errors, &at, text);
        if text.parse::<Network>().is_ok_and(|part| part.bits <= whole.bits || !whole.covers(part)) {
            errors.invalid(&at, text.as_str(), "must be a strict subset of `cidr`");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, update};

    #[test]
    fn types_follow_the_rules_that_are_there() {
        let types = |spec| defaulted::<NetworkPolicies>(json!({"spec": spec}))["spec"]["policyTypes"].clone();
        assert_eq!(types(json!({})), json!(["Ingress"]));
        assert_eq!(types(json!({"egress": [{}]})), json!(["Ingress", "Egress"]));
        assert_eq!(types(json!({"policyTypes": ["Egress"]})), json!(["Egress"]));
    }

    #[test]
    fn peers_and_ports_are_told_apart() {
        let block = |cidr: &str, except: &str| json!({"ipBlock": {"cidr": cidr, "except": [except]}});
        let policy = json!({"spec": {"ingress": [{
            "from": [{}, block("10.0.0.0/8", "10.0.0.0/8")], "ports": [{"protocol": "X", "endPort": 4}],
        }]}});
        assert_eq!(
            create::<NetworkPolicies>(policy),
            "[spec.ingress[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"TCP\", \"UDP\", \"SCTP\", \
             spec.ingress[0].ports[0].endPort: Invalid value: 4: may not be specified when `port` is not specified, \
             spec.ingress[0].from[0]: Required value: must specify a peer, \
             spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: \"10.0.0.0/8\": must be a strict subset of `cidr`]"
        );
        let strange = json!({"spec": {"egress": [{"to": [block("10.1.0.0/8", "10.1.0.0/16")]}]}});
        assert!(create::<NetworkPolicies>(strange.clone()).contains("must not have bits set beyond"));
        assert_eq!(update::<NetworkPolicies>(strange.clone(), strange), "");
    }
}
