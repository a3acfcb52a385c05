//! No folder of the node.

use super::{Check, Fault, Level, Subject, text};

pub(super) const ID: &str = "hostPathVolumes";

pub(super) const CHECK: Check =
    Check { id: ID, level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let volumes = pod.spec.volumes.iter().flatten().filter(|volume| volume.host_path.is_some());
    let names: Vec<&str> = volumes.map(|volume| volume.name.as_str()).collect();
    let told = || format!("{} {}", text::plural(names.len(), "volume", "volumes"), text::quoted(&names));
    if names.is_empty() { None } else { Fault::new("hostPath volumes", told()) }
}
