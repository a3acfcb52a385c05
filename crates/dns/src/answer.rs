//! What a question is answered: a plain function of the question and the directory.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::{Name, Record, RecordType};
use k8s_openapi::api::core::v1::Service;

use crate::directory::{Directory, Member, addresses};
use crate::records;

/// The version of the specification that is told at `dns-version.DOMAIN`.
const VERSION: &str = "1.1.0";

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Records; an alias may stand for a name elsewhere.
    Records(Vec<Record>),
    /// The name is there, but has nothing of the type that is asked.
    Nothing,
    /// There is no such name in the cluster.
    NoSuchName,
    /// The name is not the cluster's: others may know it.
    Elsewhere,
}

/// Answers one question.
#[must_use]
pub fn answer(directory: &Directory, domain: &str, name: &Name, asked: RecordType) -> Answer {
    let text = name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    if let Some(address) = reverse(&text) {
        return of_address(directory, domain, name, &address, asked);
    }
    let inside = match text.strip_suffix(domain) {
        Some("") => return Answer::Nothing,
        Some(inside) if inside.ends_with('.') => inside.trim_end_matches('.').to_owned(),
        _ => return Answer::Elsewhere,
    };
    let labels: Vec<&str> = inside.split('.').collect();
    match labels.as_slice() {
        ["dns-version"] if asked == RecordType::TXT => Answer::Records(vec![records::text(name, VERSION)]),
        ["dns-version" | "svc" | "pod"] => Answer::Nothing,
        [namespace, "svc"] => exists(directory.has_namespace(namespace)),
        [ip, namespace, "pod"] => of_pod(directory, name, ip, namespace, asked),
        [rest @ .., service, namespace, "svc"] => match directory.service(namespace, service) {
            Some(found) => Asked { directory, domain, name, asked, namespace, service }.answer(&found, rest),
            None => Answer::NoSuchName,
        },
        _ => Answer::NoSuchName,
    }
}

struct Asked<'a> {
    directory: &'a Directory,
    domain: &'a str,
    name: &'a Name,
    asked: RecordType,
    namespace: &'a str,
    service: &'a str,
}

// === impl Asked ===

impl Asked<'_> {
    fn answer(&self, service: &Service, rest: &[&str]) -> Answer {
        let spec = service.spec.as_ref();
        if spec.and_then(|s| s.type_.as_deref()) == Some("ExternalName") {
            let target = spec.and_then(|s| s.external_name.as_deref()).unwrap_or_default();
            return if rest.is_empty() { found(records::alias(self.name, target)) } else { Answer::NoSuchName };
        }
        match rest {
            [] => self.addresses(service),
            [hostname] if !hostname.starts_with('_') => self.member(service, hostname),
            [port, protocol] => self.ports(service, port, protocol),
            _ => Answer::NoSuchName,
        }
    }

    fn addresses(&self, service: &Service) -> Answer {
        let cluster = addresses(service);
        if !cluster.is_empty() {
            return found(cluster.iter().filter_map(|ip| records::address(self.name, ip, self.asked)));
        }
        let members = self.members();
        if members.is_empty() {
            return Answer::NoSuchName;
        }
        found(
            members
                .iter()
                .flat_map(|m| &m.endpoint.addresses)
                .filter_map(|ip| records::address(self.name, ip, self.asked)),
        )
    }

    fn member(&self, service: &Service, hostname: &str) -> Answer {
        let headless = addresses(service).is_empty();
        let members: Vec<_> = self.members().into_iter().filter(|m| headless && hostname_of(m) == hostname).collect();
        if members.is_empty() {
            return Answer::NoSuchName;
        }
        found(
            members
                .iter()
                .flat_map(|m| &m.endpoint.addresses)
                .filter_map(|ip| records::address(self.name, ip, self.asked)),
        )
    }

    fn ports(&self, service: &Service, port: &str, protocol: &str) -> Answer {
        let (Some(port), Some(protocol)) = (port.strip_prefix('_'), protocol.strip_prefix('_')) else {
            return Answer::NoSuchName;
        };
        let zone = format!("{}.{}.svc.{}.", self.service, self.namespace, self.domain);
        let targets = if addresses(service).is_empty() {
            self.member_ports(port, protocol, &zone)
        } else {
            service_ports(service, port, protocol).into_iter().map(|p| (p, zone.clone())).collect()
        };
        if targets.is_empty() {
            return Answer::NoSuchName;
        }
        if !matches!(self.asked, RecordType::SRV | RecordType::ANY) {
            return Answer::Nothing;
        }
        let weight = 100 / u16::try_from(targets.len().clamp(1, 100)).unwrap_or(100);
        found(targets.into_iter().filter_map(|(port, target)| records::service(self.name, port, weight, &target)))
    }

    fn member_ports(&self, port: &str, protocol: &str, zone: &str) -> Vec<(u16, String)> {
        let members = self.members();
        let ports = members.iter().flat_map(|m| {
            let named = m.ports.iter().filter(|p| {
                p.name.as_deref().unwrap_or_default() == port
                    && p.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(protocol)
            });
            named.filter_map(|p| u16::try_from(p.port?).ok()).map(|p| (p, format!("{}.{zone}", hostname_of(m))))
        });
        ports.collect()
    }

    fn members(&self) -> Vec<Member> {
        self.directory.members(self.namespace, self.service)
    }
}

fn exists(there: bool) -> Answer {
    if there { Answer::Nothing } else { Answer::NoSuchName }
}

fn found(records: impl IntoIterator<Item = Record>) -> Answer {
    let mut records: Vec<Record> = records.into_iter().collect();
    records.dedup();
    if records.is_empty() { Answer::Nothing } else { Answer::Records(records) }
}

fn service_ports(service: &Service, port: &str, protocol: &str) -> Vec<u16> {
    let ports = service.spec.iter().flat_map(|s| s.ports.iter().flatten());
    let named = ports.filter(|p| {
        p.name.as_deref().unwrap_or_default() == port
            && p.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(protocol)
    });
    named.filter_map(|p| u16::try_from(p.port).ok()).collect()
}

/// An endpoint's own label: its hostname, or its address with dashes.
fn hostname_of(member: &Member) -> String {
    let address = || member.endpoint.addresses.first().map(|a| a.replace(['.', ':'], "-")).unwrap_or_default();
    member.endpoint.hostname.clone().filter(|h| !h.is_empty()).unwrap_or_else(address)
}

/// `10-1-2-3.NAMESPACE.pod`: told without asking whether there is such a pod, as CoreDNS' `insecure`
/// mode does, which kubeadm configures.
fn of_pod(directory: &Directory, name: &Name, ip: &str, namespace: &str, asked: RecordType) -> Answer {
    if !directory.has_namespace(namespace) {
        return Answer::NoSuchName;
    }
    let dotted = ip.replace('-', ".");
    let address = if dotted.parse::<Ipv4Addr>().is_ok() { dotted } else { ip.replace('-', ":") };
    match address.parse::<IpAddr>() {
        Ok(_) => found(records::address(name, &address, asked)),
        Err(_) => Answer::NoSuchName,
    }
}

fn of_address(directory: &Directory, domain: &str, name: &Name, address: &str, asked: RecordType) -> Answer {
    let names: Vec<String> = match directory.service_at(address) {
        Some(service) => {
            let meta = &service.metadata;
            let part = |text: &Option<String>| text.clone().unwrap_or_default();
            vec![format!("{}.{}.svc.{domain}.", part(&meta.name), part(&meta.namespace))]
        }
        None => directory
            .members_at(address)
            .iter()
            .filter(|(namespace, service, _)| {
                directory.service(namespace, service).is_some_and(|s| addresses(&s).is_empty())
            })
            .map(|(namespace, service, member)| format!("{}.{service}.{namespace}.svc.{domain}.", hostname_of(member)))
            .collect(),
    };
    if names.is_empty() {
        return Answer::Elsewhere;
    }
    if !matches!(asked, RecordType::PTR | RecordType::ANY) {
        return Answer::Nothing;
    }
    found(names.iter().filter_map(|target| records::pointer(name, target)))
}

/// The address that an `in-addr.arpa` or `ip6.arpa` name asks about.
fn reverse(name: &str) -> Option<String> {
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        let parts: Vec<&str> = octets.split('.').rev().collect();
        return parts.join(".").parse::<Ipv4Addr>().ok().map(|ip| ip.to_string());
    }
    let nibbles: String = name.strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    u128::from_str_radix(&nibbles, 16).ok().filter(|_| nibbles.len() == 32).map(|bits| Ipv6Addr::from(bits).to_string())
}

#[cfg(test)]
mod tests;
