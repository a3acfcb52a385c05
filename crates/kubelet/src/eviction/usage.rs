//! Measuring: what is left of the node, and what pods use of it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use super::plan::{ContainerUsage, PodUsage};
use super::threshold::{Observation, Signal};
use crate::cri::v1;
use crate::host::{Host, Paths};
use crate::node::machine::{Left, Machine};
use crate::pod::spec;

/// What is left of the node.
#[must_use]
pub fn node(root: &Path, machine: &Machine) -> BTreeMap<Signal, Observation> {
    let left = Left::read(root);
    let mut seen = BTreeMap::from([
        (Signal::Memory, Observation { available: left.memory, capacity: machine.memory }),
        (Signal::Pids, Observation { available: left.pids, capacity: left.pids_max }),
    ]);
    if let Ok(fs) = rustix::fs::statvfs(root) {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let bytes = |blocks: u64| count(blocks.saturating_mul(fs.f_frsize));
        let disk = Observation { available: bytes(fs.f_bavail), capacity: bytes(fs.f_blocks) };
        let inodes = Observation { available: count(fs.f_favail), capacity: count(fs.f_files) };
        seen.extend([(Signal::NodeFs, disk), (Signal::ImageFs, disk)]);
        seen.extend([(Signal::NodeFsInodes, inodes), (Signal::ImageFsInodes, inodes)]);
    }
    seen
}

/// What pods use.
pub async fn pods(host: &Host, pods: Vec<Arc<Pod>>) -> Result<Vec<PodUsage>, crate::cri::Error> {
    let stats = host.cri.container_stats().await?;
    let paths = host.paths.clone();
    let measured = tokio::task::spawn_blocking(move || pods.into_iter().map(|pod| of(&paths, pod, &stats)).collect());
    // A panic while measuring has been reported by its own thread; there are no figures then.
    Ok(measured.await.unwrap_or_default())
}

fn of(paths: &Paths, pod: Arc<Pod>, stats: &[v1::ContainerStats]) -> PodUsage {
    let uid = spec::uid(&pod);
    let logs = paths.pod_logs(&pod);
    let own = stats.iter().filter_map(|stats| {
        let attributes = stats.attributes.as_ref()?;
        let name = &attributes.metadata.as_ref()?.name;
        let mine = attributes.labels.get(crate::labels::POD_UID).is_some_and(|owner| owner == uid);
        mine.then(|| container(name, stats, &logs))
    });
    let on_disk = spec::of(&pod).volumes.iter().flatten().filter_map(|volume| {
        let source = volume.empty_dir.as_ref()?;
        let dir = paths.volumes(uid).join("kubernetes.io~empty-dir").join(&volume.name);
        (source.medium.as_deref() != Some("Memory")).then(|| (volume.name.clone(), size(&dir)))
    });
    let (containers, volumes) = (own.collect(), on_disk.collect());
    let hosts = size(&paths.hosts(uid));
    PodUsage { pod, containers, volumes, hosts }
}

fn container(name: &str, stats: &v1::ContainerStats, logs: &Path) -> ContainerUsage {
    let amount = |value: Option<&v1::UInt64Value>| value.map_or(0, |v| i64::try_from(v.value).unwrap_or(i64::MAX));
    let layer = amount(stats.writable_layer.as_ref().and_then(|layer| layer.used_bytes.as_ref()));
    ContainerUsage {
        name: name.into(),
        memory: amount(stats.memory.as_ref().and_then(|memory| memory.working_set_bytes.as_ref())),
        disk: layer + size(&logs.join(name)),
    }
}

/// Bytes on the disk of a tree; what vanishes meanwhile counts for nothing.
fn size(path: &Path) -> i64 {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return 0 };
    let own = i64::try_from(meta.blocks() * 512).unwrap_or(i64::MAX);
    if !meta.is_dir() {
        return own;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return own };
    own + entries.flatten().map(|entry| size(&entry.path())).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// CVE-2020-8557: a container that fills the node's disk by way of its `/etc/hosts`.
    #[test]
    fn what_a_container_writes_to_its_hosts_file_counts() {
        let root = std::env::temp_dir().join(format!("usage-{}", std::process::id()));
        let paths = Paths::new(&root);
        let pod = json!({"metadata": {"name": "p", "uid": "u"}, "spec": {"containers": [{"name": "c"}]}});
        let pod: Arc<Pod> = Arc::new(serde_json::from_value(pod).expect("a pod"));
        let file = paths.hosts("u");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, vec![b'x'; 1 << 20]).expect("written");
        let usage = of(&paths, pod, &[]);
        assert!(usage.hosts >= 1 << 20 && usage.disk() >= 1 << 20, "{usage:?}");
        std::fs::remove_dir_all(root).expect("removed");
    }
}
