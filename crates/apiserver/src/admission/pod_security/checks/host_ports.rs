//! No port of the node.

use std::collections::BTreeSet;

use super::super::subject::Part;
use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check =
    Check { id: "hostPorts", level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let ports = |one: &Part<'_>| -> Vec<String> {
        one.ports.iter().filter_map(|port| port.host_port).filter(|port| *port != 0).map(|p| p.to_string()).collect()
    };
    let names = pod.named(|one| !ports(one).is_empty());
    // as texts: 10000 stands before 80
    let all: BTreeSet<String> = pod.containers.iter().flat_map(ports).collect();
    let uses = text::plural(names.len(), "uses", "use");
    let what = text::plural(all.len(), "hostPort", "hostPorts");
    let shown = || all.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let told = || format!("{} {uses} {what} {}", text::containers(&names), shown());
    if names.is_empty() { None } else { Fault::new("hostPort", told()) }
}
