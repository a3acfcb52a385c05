//! The pods that files ask for, with what upstream fills in: a name that holds the node's, a uid that follows from the
//! content, and a toleration of all that would evict them.

use std::path::Path;

use k8s_openapi::api::core::v1::{Pod, Toleration};
use nakhoda_api::gvk::GroupVersionKind;
use nakhoda_api::wire::{self, DecodeError, Media};
use sha2::{Digest, Sha256};

use crate::image::reference;
use crate::pod::spec::SOURCE;

/// As upstream: more is no manifest.
const LARGEST: u64 = 10 << 20;

/// A file that asks for no pod.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is larger than manifests are.
    #[error("larger than {LARGEST} bytes")]
    TooLarge,
    /// It is no object.
    #[error("{0}")]
    Undecodable(#[from] DecodeError),
    /// Its fields have other types than a pod's.
    #[error("no pod: {0}")]
    Mistyped(#[from] serde_json::Error),
    /// It lacks something.
    #[error("invalid pod: {0}")]
    Invalid(&'static str),
}

/// The pods of a folder's files. A file that holds none is told, and is as if it were not there.
#[must_use]
pub fn read(folder: &Path, node: &str) -> Vec<Pod> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!(%error, folder = %folder.display(), "no static pods can be read");
            return Vec::new();
        }
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_manifest(path)).collect();
    paths.sort();
    let pod = |path: &std::path::PathBuf| {
        let told = |error| tracing::warn!(%error, file = %path.display(), "no static pod");
        file(path, node).map_err(told).ok()
    };
    paths.iter().filter_map(pod).collect()
}

fn is_manifest(path: &Path) -> bool {
    path.is_file() && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn file(path: &Path, node: &str) -> Result<Pod, Error> {
    if std::fs::metadata(path)?.len() > LARGEST {
        return Err(Error::TooLarge);
    }
    parse(&std::fs::read(path)?, &path.display().to_string(), node)
}

/// The pod that a file asks for on a node.
pub fn parse(text: &[u8], source: &str, node: &str) -> Result<Pod, Error> {
    let kind = GroupVersionKind::new("", "v1", "Pod");
    let decoded = wire::decode(Media::Yaml, text, Some(&kind))?;
    if decoded.object.kind() != "Pod" {
        return Err(Error::Invalid("its kind is not Pod"));
    }
    for fault in &decoded.faults {
        tracing::warn!(fault, source, "static pod");
    }
    let mut pod: Pod = serde_json::from_value(serde_json::to_value(&decoded.object)?)?;
    complete(&mut pod, source, node)?;
    Ok(pod)
}

fn complete(pod: &mut Pod, source: &str, node: &str) -> Result<(), Error> {
    let spec = pod.spec.as_mut().filter(|spec| !spec.containers.is_empty());
    let spec = spec.ok_or(Error::Invalid("spec.containers: Required value"))?;
    if spec.service_account_name.as_deref().is_some_and(|name| !name.is_empty()) {
        return Err(Error::Invalid("spec.serviceAccountName: a static pod has no account"));
    }
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        let Some(image) = container.image.as_deref().filter(|image| !image.is_empty()) else {
            return Err(Error::Invalid("spec.containers.image: Required value"));
        };
        let newest = reference::is_latest(image);
        let policy = || if newest { "Always".into() } else { "IfNotPresent".into() };
        container.image_pull_policy.get_or_insert_with(policy);
        if let Some(resources) = &mut container.resources {
            // Who has a limit and asks for nothing asks for all of it.
            let mut requests = resources.limits.clone().unwrap_or_default();
            requests.extend(resources.requests.take().unwrap_or_default());
            resources.requests = Some(requests);
        }
    }
    spec.node_name = Some(node.into());
    let tolerated =
        Toleration { operator: Some("Exists".into()), effect: Some("NoExecute".into()), ..Toleration::default() };
    spec.tolerations.get_or_insert_default().push(tolerated);
    let given = serde_json::to_vec(&*pod)?;
    let meta = &mut pod.metadata;
    let name = meta.name.as_deref().filter(|name| !name.is_empty());
    let name = name.ok_or(Error::Invalid("name is needed for the pod"))?;
    meta.name = Some(format!("{name}-{}", node.to_lowercase()));
    meta.namespace.get_or_insert_with(|| "default".into());
    let uid = meta.uid.get_or_insert_with(|| hash(&given, source, node)).clone();
    let annotations = meta.annotations.get_or_insert_default();
    annotations.insert("kubernetes.io/config.hash".into(), uid);
    annotations.insert(SOURCE.into(), "file".into());
    annotations.insert("kubernetes.io/config.seen".into(), jiff::Timestamp::now().to_string());
    Ok(())
}

/// Another content, node or file is another pod.
fn hash(given: &[u8], source: &str, node: &str) -> String {
    let mut digest = Sha256::new();
    for part in [given, b"host:", node.as_bytes(), b"file:", source.as_bytes()] {
        digest.update(part);
    }
    digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: c, image: 'a:1'}\n";

    #[test]
    fn a_manifest_becomes_a_pod_of_the_node() {
        let pod = parse(TEXT, "/m/web.yaml", "Node-1").expect("a pod");
        let (meta, spec) = (&pod.metadata, pod.spec.as_ref().expect("has one"));
        assert_eq!((meta.name.as_deref(), meta.namespace.as_deref()), (Some("web-node-1"), Some("default")));
        assert_eq!(meta.uid.as_ref().map(String::len), Some(32));
        assert_eq!(spec.node_name.as_deref(), Some("Node-1"));
        assert_eq!(spec.containers[0].image_pull_policy.as_deref(), Some("IfNotPresent"));
        assert_eq!(parse(TEXT, "/m/web.yaml", "Node-1").expect("the same").metadata.uid, meta.uid);
        assert_ne!(parse(TEXT, "/m/b.yaml", "Node-1").expect("another").metadata.uid, meta.uid);
    }

    #[test]
    fn what_is_no_pod_is_told() {
        for (text, wanted) in [
            ("kind: Node\napiVersion: v1\nmetadata: {name: web}", "kind"),
            ("kind: Pod\napiVersion: v1\nmetadata: {name: web}", "spec.containers"),
            ("kind: Pod\napiVersion: v1\nspec: {containers: [{name: c, image: i}]}", "name is needed"),
            ("kind: Pod\napiVersion: v1\nmetadata: {name: web}\nspec: {containers: [{name: c}]}", "image"),
        ] {
            let told = parse(text.as_bytes(), "f", "n").expect_err(text).to_string();
            assert!(told.contains(wanted), "{text}: {told}");
        }
    }

    #[test]
    fn hidden_files_are_left_alone() {
        let folder = std::env::temp_dir().join(format!("statics-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("sub")).expect("made");
        for name in ["web.yaml", ".web.yaml.swp"] {
            std::fs::write(folder.join(name), TEXT).expect("written");
        }
        std::fs::write(folder.join("broken.yaml"), "{").expect("written");
        assert_eq!(read(&folder, "n").len(), 1);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
