//! Volumes of a few types that reach neither the node nor the network by themselves.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::Volume;

use super::{Check, Fault, Level, Subject, host_path_volumes, text};

const ALLOWED: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

pub(super) const CHECK: Check = Check {
    id: "restrictedVolumes",
    level: Level::Restricted,
    versions: &[(0, look)],
    instead_of: Some(host_path_volumes::ID),
};

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let kinds = pod.spec.volumes.iter().flatten().map(|volume| (volume.name.as_str(), kind(volume)));
    let bad: Vec<(&str, String)> = kinds.filter(|(_, kind)| !ALLOWED.contains(&kind.as_str())).collect();
    if bad.is_empty() {
        return None;
    }
    let (names, kinds): (Vec<&str>, BTreeSet<String>) = bad.into_iter().unzip();
    let told = format!(
        "{} {} {} {} {}",
        text::plural(names.len(), "volume", "volumes"),
        text::quoted(&names),
        text::plural(names.len(), "uses", "use"),
        text::plural(kinds.len(), "restricted volume type", "restricted volume types"),
        text::quoted(&kinds)
    );
    Fault::new("restricted volume types", told)
}

/// The field of the source that a volume has.
fn kind(volume: &Volume) -> String {
    let value = serde_json::to_value(volume).unwrap_or_default();
    let source = value.as_object().into_iter().flatten().map(|(field, _)| field).find(|field| *field != "name");
    source.map_or_else(|| "unknown".to_owned(), Clone::clone)
}
