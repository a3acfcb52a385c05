//! What of a volume has a better way, or no effect.

use nakhoda_api::kinds::core::PersistentVolume;

use super::MOUNT_OPTIONS;
use super::cells::CLASS;
use crate::rules::check::text;
use crate::rules::pod::warnings::labels;

const ANNOTATIONS: &[(&str, &str)] = &[
    (CLASS, "deprecated since v1.8; use \"storageClassName\" attribute instead"),
    (MOUNT_OPTIONS, "deprecated since v1.31; use \"mountOptions\" attribute instead"),
];

pub(super) fn all(volume: &PersistentVolume) -> Vec<String> {
    let noted = |key: &str| volume.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(key));
    let old = ANNOTATIONS.iter().filter(|(key, _)| noted(key));
    let mut warnings: Vec<String> = old.map(|(key, text)| format!("metadata.annotations[{key}]: {text}")).collect();
    let Some(spec) = &volume.spec else { return warnings };
    if text(&spec.persistent_volume_reclaim_policy) == "Recycle" {
        let text = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.";
        warnings.push(format!("spec.persistentVolumeReclaimPolicy: {text}"));
    }
    let nodes = spec.node_affinity.as_ref().and_then(|a| a.required.as_ref());
    for (i, term) in nodes.iter().flat_map(|n| n.node_selector_terms.iter().enumerate()) {
        labels::term(&mut warnings, &format!("spec.nodeAffinity.required.nodeSelectorTerms[{i}]"), term);
    }
    let gone = [
        (spec.cephfs.is_some(), "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        (spec.photon_persistent_disk.is_some(), "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        (spec.scale_io.is_some(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        (spec.storageos.is_some(), "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        (spec.glusterfs.is_some(), "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        (spec.rbd.is_some(), "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ];
    warnings.extend(gone.iter().filter(|(used, ..)| *used).map(|(_, field, text)| format!("spec.{field}: {text}")));
    warnings
}
