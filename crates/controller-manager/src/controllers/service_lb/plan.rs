//! Which service gets the addresses of which node.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

/// Ports of a node that no service gets: ssh, etcd, the API server, the kubelet.
const RESERVED: [(i32, &str); 5] =
    [(22, "ssh"), (2379, "etcd"), (2380, "etcd"), (6443, "the API server"), (10250, "the kubelet")];

/// A port and its protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Port {
    number: i32,
    protocol: String,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Ports that are taken, and by whom.
    pub taken: BTreeMap<Port, String>,
}

/// A service that wants addresses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// How it is called when it stands in another's way.
    pub name: String,
    /// The older wins.
    pub made: Option<Timestamp>,
    /// Of which family.
    pub v6: bool,
    /// All must be free on a node.
    pub ports: Vec<Port>,
    /// Only on these nodes, if it is choosy.
    pub only_on: Option<BTreeSet<String>>,
}

/// What a service gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// These addresses; none only for one that no longer wants any.
    Addresses(Vec<String>),
    /// Nothing, and why.
    Pending(Refusal),
}

/// Why a service gets nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// No node is ready.
    NoNode,
    /// No node has a ready endpoint of it.
    NoEndpoint,
    /// A port is taken wherever it could go.
    Taken {
        /// Which port.
        port: Port,
        /// By whom.
        holder: String,
    },
}

// === impl Port ===

impl Port {
    /// A port; without a protocol it is TCP.
    #[must_use]
    pub fn new(number: i32, protocol: Option<&str>) -> Self {
        Self { number, protocol: protocol.unwrap_or("TCP").into() }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode => f.write_str("no node is ready"),
            Self::NoEndpoint => f.write_str("no ready node has a ready endpoint, and externalTrafficPolicy is Local"),
            Self::Taken { port, holder } => write!(f, "port {port} is taken by {holder} on every node"),
        }
    }
}

/// The verdict on each claim, in the order of the claims.
#[must_use]
pub fn plan(hosts: &[Host], claims: &[Claim]) -> Vec<Verdict> {
    let mut hosts = hosts.to_vec();
    for host in &mut hosts {
        for (number, holder) in RESERVED {
            host.taken.entry(Port::new(number, None)).or_insert_with(|| holder.to_owned());
        }
    }
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|&i| (claims[i].made, &claims[i].name));
    let mut verdicts = vec![Verdict::Pending(Refusal::NoNode); claims.len()];
    for index in order {
        verdicts[index] = judge(&mut hosts, &claims[index]);
    }
    verdicts
}

fn judge(hosts: &mut [Host], claim: &Claim) -> Verdict {
    if hosts.is_empty() {
        return Verdict::Pending(Refusal::NoNode);
    }
    let mut addresses = Vec::new();
    let mut refusal = Refusal::NoEndpoint;
    for host in hosts {
        if claim.only_on.as_ref().is_some_and(|only| !only.contains(&host.name)) {
            continue;
        }
        let taken = claim.ports.iter().find_map(|p| host.taken.get(p).map(|holder| (p, holder)));
        if let Some((port, holder)) = taken {
            refusal = Refusal::Taken { port: port.clone(), holder: holder.clone() };
            continue;
        }
        addresses.extend(host.addresses.iter().find(|a| a.contains(':') == claim.v6).cloned());
        for port in &claim.ports {
            host.taken.insert(port.clone(), claim.name.clone());
        }
    }
    if addresses.is_empty() { Verdict::Pending(refusal) } else { Verdict::Addresses(addresses) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, address: &str) -> Host {
        Host { name: name.into(), addresses: vec![address.into()], taken: BTreeMap::new() }
    }

    fn claim(name: &str, made: i64, port: i32) -> Claim {
        Claim {
            name: format!("service {name}"),
            made: Timestamp::from_second(made).ok(),
            ports: vec![Port::new(port, None)],
            ..Claim::default()
        }
    }

    fn texts(verdicts: &[Verdict]) -> Vec<String> {
        let text = |v: &Verdict| match v {
            Verdict::Addresses(addresses) => addresses.join(" "),
            Verdict::Pending(why) => why.to_string(),
        };
        verdicts.iter().map(text).collect()
    }

    #[test]
    fn the_oldest_service_wins_a_port_and_others_are_told_who_has_it() {
        let hosts = [host("a", "10.0.0.1"), host("b", "10.0.0.2")];
        let verdicts = plan(&hosts, &[claim("young", 2, 80), claim("old", 1, 80), claim("other", 3, 81)]);
        assert_eq!(texts(&verdicts), [
            "port 80/TCP is taken by service old on every node",
            "10.0.0.1 10.0.0.2",
            "10.0.0.1 10.0.0.2"
        ]);
    }

    #[test]
    fn host_ports_and_reserved_ports_are_not_given_and_udp_is_another_port() {
        let mut hosts = [host("a", "10.0.0.1"), host("b", "10.0.0.2")];
        hosts[0].taken.insert(Port::new(53, Some("UDP")), "pod kube-system/dns".into());
        let udp = Claim { ports: vec![Port::new(53, Some("UDP"))], ..claim("dns", 1, 0) };
        let verdicts = plan(&hosts, &[udp, claim("tcp", 2, 53), claim("api", 3, 6443)]);
        assert_eq!(texts(&verdicts), [
            "10.0.0.2",
            "10.0.0.1 10.0.0.2",
            "port 6443/TCP is taken by the API server on every node"
        ]);
    }

    #[test]
    fn a_choosy_service_gets_only_nodes_with_endpoints() {
        let hosts = [host("a", "10.0.0.1"), host("b", "10.0.0.2")];
        let on_b = Claim { only_on: Some(["b".to_owned()].into()), ..claim("x", 1, 80) };
        let nowhere = Claim { only_on: Some(BTreeSet::new()), ..claim("y", 2, 81) };
        let verdicts = plan(&hosts, &[on_b, nowhere]);
        assert_eq!(texts(&verdicts)[0], "10.0.0.2");
        assert_eq!(verdicts[1], Verdict::Pending(Refusal::NoEndpoint));
        assert_eq!(plan(&[], &[claim("z", 1, 1)]), [Verdict::Pending(Refusal::NoNode)]);
    }
}
