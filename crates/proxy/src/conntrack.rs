//! Forgotten flows: the kernel keeps sending a UDP client's packets to the endpoint that it had, so
//! flows of a port whose endpoints changed are deleted.

use tokio::process::Command;

use crate::table::{Difference, Element, Set};

/// Deletes the flows of every UDP port that the difference changes.
pub async fn forget(difference: &Difference) {
    for arguments in changed(difference) {
        match Command::new("conntrack").args(&arguments).kill_on_drop(true).output().await {
            // It also fails if there was nothing to delete.
            Ok(output) => tracing::debug!(?arguments, ok = output.status.success(), "conntrack"),
            Err(error) => tracing::warn!(%error, "cannot run conntrack: UDP clients may reach endpoints that are gone"),
        }
    }
}

fn changed(difference: &Difference) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = difference.removed.iter().chain(&difference.added).filter_map(arguments).collect();
    all.sort();
    all.dedup();
    all
}

fn arguments(element: &Element) -> Option<Vec<String>> {
    let parts: Vec<&str> = element.key.split(" . ").collect();
    let text = |parts: &[&str]| Some(parts.iter().map(|&p| p.to_owned()).collect());
    match (element.set, parts.as_slice()) {
        (Set::Addresses | Set::EmptyAddresses, [address, "udp", port]) => {
            text(&["-D", "-f", "ipv4", "-p", "udp", "--orig-dst", address, "--orig-port-dst", port])
        }
        (Set::Ports | Set::EmptyPorts, ["udp", port]) => {
            text(&["-D", "-f", "ipv4", "-p", "udp", "--orig-port-dst", port])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_udp_is_forgotten() {
        let element = |key: &str| Element { set: Set::Addresses, key: key.into(), targets: Vec::new() };
        let difference = Difference {
            removed: vec![element("10.96.0.1 . udp . 53"), element("10.96.0.1 . tcp . 53")],
            added: vec![element("10.96.0.1 . udp . 53")],
        };
        let all = changed(&difference);
        assert_eq!(all.len(), 1);
        assert!(all[0].contains(&"10.96.0.1".to_owned()));
    }
}
