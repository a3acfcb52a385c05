//! Ports that two containers of a pod claim, or call by one name.

use nakhoda_api::kinds::core::{Container, ContainerPort};

use crate::rules::check::{list, text};

pub(super) fn warnings(containers: &[(String, &Container)]) -> Vec<String> {
    let ports: Vec<(String, &ContainerPort)> = containers
        .iter()
        .flat_map(|(at, c)| list(&c.ports).iter().enumerate().map(move |(i, p)| (format!("{at}.ports[{i}]"), p)))
        .collect();
    let mut warnings = Vec::new();
    for (i, (at, port)) in ports.iter().enumerate() {
        let alike = |p: &ContainerPort| p.container_port == port.container_port && p.protocol == port.protocol;
        for (other, before) in ports[..i].iter().filter(|(_, p)| alike(p)) {
            warnings.extend(conflict(port, before).map(|text| format!("{at}: {text} port definition with {other}")));
        }
    }
    for (i, (at, port)) in ports.iter().enumerate().filter(|(_, (_, p))| !text(&p.name).is_empty()) {
        if let Some((first, _)) = ports[..i].iter().find(|(_, p)| p.name == port.name) {
            let which = format!("services and probes that select ports by name will use {first}");
            warnings.push(format!("{at}: duplicate port name \"{}\" with {first}, {which}", text(&port.name)));
        }
    }
    warnings
}

fn conflict(port: &ContainerPort, before: &ContainerPort) -> Option<&'static str> {
    let host = |p: &ContainerPort| p.host_port.unwrap_or(0);
    let same_address = text(&port.host_ip) == text(&before.host_ip);
    match (host(port), host(before)) {
        (a, b) if a == b && same_address => Some("duplicate"),
        (0, _) | (_, 0) => Some("overlapping"),
        (a, b) if a == b && (text(&port.host_ip).is_empty() != text(&before.host_ip).is_empty()) => {
            Some("dangerously ambiguous")
        }
        _ => None,
    }
}
