//! The class, the volumes, and the pod that deletes a volume's data.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{
    Container, HostPathVolumeSource, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeSpec, Pod, PodSpec, Toleration, Volume, VolumeMount, VolumeNodeAffinity,
};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_client::{Resource, owner, reference};

use crate::controllers::persistent_volume::volume::PROVISIONED_BY;

/// The name of the class.
pub const CLASS: &str = "local-path";
/// Who makes its volumes.
pub const PROVISIONER_NAME: &str = "nakhoda.dev/local-path";
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
const HOSTNAME: &str = "kubernetes.io/hostname";
/// Where pods that delete data live.
const NAMESPACE: &str = "kube-system";
/// How long such a pod may take, in seconds.
const PATIENCE: i64 = 300;

/// The class.
#[must_use]
pub fn class() -> StorageClass {
    let annotations = BTreeMap::from([(DEFAULT_CLASS.to_owned(), "true".to_owned())]);
    StorageClass {
        metadata: ObjectMeta { name: Some(CLASS.into()), annotations: Some(annotations), ..ObjectMeta::default() },
        provisioner: PROVISIONER_NAME.into(),
        reclaim_policy: Some("Delete".into()),
        volume_binding_mode: Some("WaitForFirstConsumer".into()),
        ..StorageClass::default()
    }
}

/// The volume of a claim on a node.
#[must_use]
pub fn volume(claim: &PersistentVolumeClaim, class: &StorageClass, node: &Node, root: &str) -> PersistentVolume {
    let asked = claim.spec.clone().unwrap_or_default();
    let name = format!("pvc-{}", claim.uid());
    let path = format!("{root}/{name}_{}_{}", claim.namespace(), claim.name());
    let annotations = BTreeMap::from([(PROVISIONED_BY.to_owned(), PROVISIONER_NAME.to_owned())]);
    let source = HostPathVolumeSource { path, type_: Some("DirectoryOrCreate".into()) };
    PersistentVolume {
        metadata: ObjectMeta { name: Some(name), annotations: Some(annotations), ..ObjectMeta::default() },
        spec: Some(PersistentVolumeSpec {
            access_modes: asked.access_modes,
            capacity: asked.resources.and_then(|r| r.requests),
            claim_ref: Some(reference(claim)),
            host_path: Some(source),
            node_affinity: Some(only(node)),
            persistent_volume_reclaim_policy: class.reclaim_policy.clone(),
            storage_class_name: Some(class.name().into()),
            volume_mode: asked.volume_mode,
            mount_options: class.mount_options.clone(),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

/// The host name that a volume's data lies on, and its directory; nothing if it is not one of ours.
#[must_use]
pub fn place(volume: &PersistentVolume) -> Option<(&str, &str)> {
    let spec = volume.spec.as_ref()?;
    let path = &spec.host_path.as_ref()?.path;
    let terms = &spec.node_affinity.as_ref()?.required.as_ref()?.node_selector_terms;
    let mut named = terms.iter().flat_map(|t| t.match_expressions.iter().flatten()).filter(|r| r.key == HOSTNAME);
    let host = named.next()?.values.as_ref()?.first()?;
    Some((host, path))
}

/// The host name of a node.
#[must_use]
pub fn host(node: &Node) -> &str {
    node.metadata.labels.as_ref().and_then(|l| l.get(HOSTNAME)).map_or(node.name(), String::as_str)
}

/// The name of the pod that deletes a volume's data.
#[must_use]
pub fn remover_name(volume: &PersistentVolume) -> String {
    format!("remove-{}", volume.name())
}

/// The pod that deletes a directory of a node. It sees the directory's parent and nothing else.
#[must_use]
pub fn remover(volume: &PersistentVolume, node: &str, path: &str, image: &str) -> Option<Pod> {
    let (parent, directory) = path.rsplit_once('/').filter(|(p, d)| !p.is_empty() && !d.is_empty() && *d != "..")?;
    let source = HostPathVolumeSource { path: parent.into(), type_: Some("DirectoryOrCreate".into()) };
    let container = Container {
        name: "remove".into(),
        image: Some(image.into()),
        command: Some(["rm", "-rf", "--", &format!("/data/{directory}")].map(str::to_owned).to_vec()),
        volume_mounts: Some(vec![VolumeMount { name: "data".into(), mount_path: "/data".into(), ..VolumeMount::default() }]),
        ..Container::default()
    };
    let all = Toleration { operator: Some("Exists".into()), ..Toleration::default() };
    let spec = PodSpec {
        containers: vec![container],
        node_name: Some(node.into()),
        restart_policy: Some("Never".into()),
        active_deadline_seconds: Some(PATIENCE),
        automount_service_account_token: Some(false),
        tolerations: Some(vec![all]),
        volumes: Some(vec![Volume { name: "data".into(), host_path: Some(source), ..Volume::default() }]),
        ..PodSpec::default()
    };
    let metadata = ObjectMeta {
        name: Some(remover_name(volume)),
        namespace: Some(NAMESPACE.into()),
        owner_references: Some(vec![owner(volume)]),
        ..ObjectMeta::default()
    };
    Some(Pod { metadata, spec: Some(spec), status: None })
}

fn only(node: &Node) -> VolumeNodeAffinity {
    let requirement = NodeSelectorRequirement {
        key: HOSTNAME.into(),
        operator: "In".into(),
        values: Some(vec![host(node).into()]),
    };
    let term = NodeSelectorTerm { match_expressions: Some(vec![requirement]), match_fields: None };
    VolumeNodeAffinity { required: Some(NodeSelector { node_selector_terms: vec![term] }) }
}

#[cfg(test)]
mod tests {
    use super::super::super::persistent_volume::claim::tests::claim;
    use super::*;
    use serde_json::json;

    fn made() -> PersistentVolume {
        let mut node = Node::default();
        node.metadata.name = Some("n1".into());
        volume(&claim(&json!({})), &class(), &node, "/var/lib/data")
    }

    #[test]
    fn a_volume_is_its_claims_and_lies_on_one_node() {
        let volume = made();
        assert!(nakhoda_api::claims::is_bound_to(&volume, &claim(&json!({}))));
        assert_eq!(place(&volume), Some(("n1", "/var/lib/data/pvc-u_n_data")));
        assert_eq!(volume.name(), "pvc-u");
    }

    #[test]
    fn a_remover_sees_the_parent_and_deletes_the_directory() {
        let volume = made();
        let pod = remover(&volume, "n1", "/var/lib/data/pvc-u_n_data", "busybox").expect("a plain path");
        let spec = pod.spec.expect("set");
        assert_eq!(spec.volumes.expect("set")[0].host_path.as_ref().expect("set").path, "/var/lib/data");
        assert_eq!(spec.containers[0].command.as_ref().expect("set")[3], "/data/pvc-u_n_data");
        for path in ["/", "/x", "data", "/var/.."] {
            assert_eq!(remover(&volume, "n1", path, "busybox"), None, "{path}");
        }
    }
}
