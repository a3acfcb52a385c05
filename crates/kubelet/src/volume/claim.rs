//! Volumes by claim: `persistentVolumeClaim`, and `ephemeral`, whose claim is made for the pod. The claim's
//! volume must be a path of the node: `local`, or `hostPath`.
//!
//! Absent: CSI and every other source, block devices, and giving a volume to the pod's `fsGroup`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::core::v1::{PersistentVolume, Pod, Volume};

use super::{Error, Plugin, Setup, host_path, io};
use crate::pod::spec;

pub(super) const PLUGIN: Plugin = Plugin {
    name: "kubernetes.io/persistent-claim",
    owns: |volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some(),
    set_up,
};

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<PathBuf, Error>> {
    async move {
        let claim = claim_of(setup.pod, setup.volume);
        let volume = setup.cluster.volume_of(spec::namespace(setup.pod), &claim).await?;
        let (path, wanted) = place(&volume).ok_or_else(|| Error::Unsupported(setup.volume.name.clone()))?;
        let fresh = !path.exists();
        host_path::check(&path, wanted)?;
        if fresh {
            // Whoever the pod runs as may write to a volume that was made for its claim.
            open_to_all(&path)?;
        }
        Ok(path)
    }
    .boxed()
}

fn claim_of(pod: &Pod, volume: &Volume) -> String {
    match &volume.persistent_volume_claim {
        Some(source) => source.claim_name.clone(),
        None => format!("{}-{}", pod.metadata.name.as_deref().unwrap_or_default(), volume.name),
    }
}

/// Where a volume is on the node, and what must be there.
fn place(volume: &PersistentVolume) -> Option<(PathBuf, &str)> {
    let spec = volume.spec.as_ref()?;
    if spec.volume_mode.as_deref() == Some("Block") {
        return None;
    }
    match (&spec.local, &spec.host_path) {
        (Some(local), _) => Some((PathBuf::from(&local.path), "Directory")),
        (None, Some(host)) => Some((PathBuf::from(&host.path), host.type_.as_deref().unwrap_or_default())),
        (None, None) => None,
    }
}

fn open_to_all(path: &Path) -> Result<(), Error> {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).map_err(io("chmod", path))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn volume(spec: Value) -> PersistentVolume {
        serde_json::from_value(json!({"spec": spec})).expect("a volume")
    }

    #[test]
    fn a_claim_is_named_by_the_pod_or_made_for_it() {
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}})).expect("a pod");
        let named = json!({"name": "v", "persistentVolumeClaim": {"claimName": "data"}});
        let made = json!({"name": "v", "ephemeral": {}});
        let of = |value| claim_of(&pod, &serde_json::from_value(value).expect("a volume"));
        assert_eq!((of(named).as_str(), of(made).as_str()), ("data", "p-v"));
    }

    #[test]
    fn volumes_that_are_paths_of_the_node_have_a_place() {
        let local = volume(json!({"local": {"path": "/disk"}}));
        assert_eq!(place(&local), Some((PathBuf::from("/disk"), "Directory")));
        let host = volume(json!({"hostPath": {"path": "/data", "type": "DirectoryOrCreate"}}));
        assert_eq!(place(&host), Some((PathBuf::from("/data"), "DirectoryOrCreate")));
        assert_eq!(place(&volume(json!({"local": {"path": "/d"}, "volumeMode": "Block"}))), None);
        assert_eq!(place(&volume(json!({"nfs": {"server": "s", "path": "/"}}))), None);
    }
}
