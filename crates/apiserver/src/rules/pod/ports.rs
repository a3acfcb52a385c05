//! Ports of containers, and their claims on ports of the node.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, ContainerPort, PodSpec};
use nakhoda_api::names;

use crate::rules::address::PROTOCOLS;
use crate::rules::check::{chosen, each, list, text};

/// The ports of one container.
pub fn validate(errors: &mut Errors, path: &Path, ports: &[ContainerPort]) {
    for (i, port) in ports.iter().enumerate() {
        let (at, name) = (path.index(i), text(&port.name));
        let faults = names::is_valid_port_name(name);
        if !name.is_empty() && !faults.is_empty() {
            each(errors, &at.child("name"), name, faults);
        } else if !name.is_empty() && ports[..i].iter().any(|p| text(&p.name) == name) {
            errors.duplicate(&at.child("name"), name);
        }
        match port.container_port {
            0 => errors.required(&at.child("containerPort"), ""),
            n => each(errors, &at.child("containerPort"), n, names::is_valid_port_num(n.into())),
        }
        if let Some(n) = port.host_port.filter(|n| *n != 0) {
            each(errors, &at.child("hostPort"), n, names::is_valid_port_num(n.into()));
        }
        chosen(errors, &at.child("protocol"), text(&port.protocol), PROTOCOLS);
    }
}

/// No two containers claim the same port of the node.
pub fn host_conflicts<'a>(errors: &mut Errors, path: &Path, containers: impl Iterator<Item = (usize, &'a Container)>) {
    let mut claimed = Vec::new();
    for (i, container) in containers {
        for (j, port) in list(&container.ports).iter().enumerate() {
            let Some(number) = port.host_port.filter(|n| *n != 0) else { continue };
            let claim = format!("{}/{}/{number}", text(&port.protocol), text(&port.host_ip));
            if claimed.contains(&claim) {
                errors.duplicate(&path.index(i).child("ports").index(j).child("hostPort"), claim);
            } else {
                claimed.push(claim);
            }
        }
    }
}

/// On the node's network a container's port is the node's.
pub fn host_network(errors: &mut Errors, path: &Path, spec: &PodSpec, is_pod: bool) {
    if spec.host_network != Some(true) {
        return;
    }
    for (i, container) in spec.containers.iter().enumerate() {
        for (j, port) in list(&container.ports).iter().enumerate() {
            let host = port.host_port.unwrap_or(0);
            if (is_pod || host != 0) && host != port.container_port {
                let at = path.index(i).child("ports").index(j).child("hostPort");
                errors.invalid(&at, host, "must match `containerPort` when `hostNetwork` is true");
            }
        }
    }
}
