//! Where pods stand in the cgroup tree, what their own level is limited to, and the names that either
//! driver gives. Present: cgroup v1 and v2 with the cgroupfs driver; with the systemd driver the
//! runtime makes the slices and only the names are ours.

pub mod usage;

use std::io;
use std::path::{Path, PathBuf};

use crate::resources::{PodLimits, Qos};

const MOUNT: &str = "/sys/fs/cgroup";

/// Who makes cgroups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Driver {
    /// Plain directories.
    #[default]
    Cgroupfs,
    /// systemd slices.
    Systemd,
}

/// The cgroup tree of one node.
#[derive(Clone, Debug)]
pub struct Cgroups {
    mount: PathBuf,
    root: String,
    driver: Driver,
}

// === impl Cgroups ===

impl Cgroups {
    /// Below `root`, which is `/` for the whole machine.
    #[must_use]
    pub fn new(root: &str, driver: Driver) -> Self {
        Self { mount: MOUNT.into(), root: root.trim_matches('/').into(), driver }
    }

    /// The cgroup parent of a pod's sandbox and containers, as the runtime is told it.
    #[must_use]
    pub fn parent(&self, qos: Qos, uid: &str) -> String {
        let class = match qos {
            Qos::Guaranteed => None,
            Qos::Burstable => Some("burstable"),
            Qos::BestEffort => Some("besteffort"),
        };
        match self.driver {
            Driver::Cgroupfs => {
                let parts = [Some(self.root.as_str()), Some("kubepods"), class, Some(&format!("pod{uid}"))];
                parts.iter().flatten().filter(|p| !p.is_empty()).fold(String::new(), |path, part| path + "/" + part)
            }
            Driver::Systemd => {
                let class = class.map(|c| format!("-{c}")).unwrap_or_default();
                format!("kubepods{class}-pod{}.slice", uid.replace('-', "_"))
            }
        }
    }

    /// Makes the pod's level and writes its limits.
    pub fn create(&self, parent: &str, limits: PodLimits) -> io::Result<()> {
        if self.driver == Driver::Systemd {
            return Ok(());
        }
        if self.is_v2() { self.create_v2(parent, limits) } else { self.create_v1(parent, limits) }
    }

    /// Removes the pod's level. What still has processes stays and is tried again later.
    pub fn remove(&self, parent: &str) {
        if self.driver == Driver::Systemd {
            return;
        }
        let roots: Vec<PathBuf> = if self.is_v2() { vec![self.mount.clone()] } else { self.controllers() };
        for root in roots {
            if let Err(error) = remove_tree(&join(&root, parent)) {
                tracing::debug!(%error, parent, "cgroup stays");
            }
        }
    }

    /// The group of all pods, with either driver.
    #[must_use]
    pub fn pods(&self) -> String {
        match self.driver {
            Driver::Cgroupfs => format!("{}/kubepods", self.root),
            Driver::Systemd => "kubepods.slice".into(),
        }
    }

    /// Below which group the node's lie, empty for the whole machine.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Where the host has its cgroups.
    #[must_use]
    pub fn mount(&self) -> &Path {
        &self.mount
    }

    /// Whether they are of version 2.
    #[must_use]
    pub fn is_v2(&self) -> bool {
        self.mount.join("cgroup.controllers").exists()
    }

    /// The processes of a pod on a host of version 1.
    pub fn processes(&self, parent: &str) -> io::Result<Vec<u32>> {
        processes(&join(&self.mount.join("cpu"), &self.directory(parent)))
    }

    fn controllers(&self) -> Vec<PathBuf> {
        let Ok(dir) = std::fs::read_dir(&self.mount) else { return Vec::new() };
        dir.flatten().map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()).collect()
    }

    fn create_v1(&self, parent: &str, limits: PodLimits) -> io::Result<()> {
        let write = |controller: &str, file: &str, value: i64| {
            let dir = join(&self.mount.join(controller), parent);
            if !self.mount.join(controller).is_dir() {
                return Ok(());
            }
            std::fs::create_dir_all(&dir)?;
            std::fs::write(dir.join(file), value.to_string())
        };
        write("cpu", "cpu.shares", limits.cpu_shares)?;
        if let Some(quota) = limits.cpu_quota {
            write("cpu", "cpu.cfs_period_us", 100_000)?;
            write("cpu", "cpu.cfs_quota_us", quota)?;
        }
        if let Some(memory) = limits.memory {
            write("memory", "memory.limit_in_bytes", memory)?;
        }
        Ok(())
    }

    fn create_v2(&self, parent: &str, limits: PodLimits) -> io::Result<()> {
        let mut dir = self.mount.clone();
        for part in parent.split('/').filter(|p| !p.is_empty()) {
            delegate(&dir)?;
            dir.push(part);
            std::fs::create_dir_all(&dir)?;
        }
        std::fs::write(dir.join("cpu.weight"), weight(limits.cpu_shares).to_string())?;
        if let Some(quota) = limits.cpu_quota {
            std::fs::write(dir.join("cpu.max"), format!("{quota} 100000"))?;
        }
        if let Some(memory) = limits.memory {
            std::fs::write(dir.join("memory.max"), memory.to_string())?;
        }
        Ok(())
    }
}

/// Shares of v1 (2 to 262144) on the scale of v2 (1 to 10000).
#[must_use]
pub const fn weight(shares: i64) -> i64 {
    let shares = if shares < 2 { 2 } else { shares };
    1 + ((shares - 2) * 9999) / 262_142
}

fn delegate(dir: &Path) -> io::Result<()> {
    let available = std::fs::read_to_string(dir.join("cgroup.controllers"))?;
    for controller in available.split_whitespace() {
        if let Err(error) = std::fs::write(dir.join("cgroup.subtree_control"), format!("+{controller}")) {
            tracing::debug!(%error, controller, dir = %dir.display(), "controller not delegated");
        }
    }
    Ok(())
}

/// All processes in and below a group.
pub(crate) fn processes(group: &Path) -> io::Result<Vec<u32>> {
    let text = std::fs::read_to_string(group.join("cgroup.procs"))?;
    let mut all: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    for child in children(group) {
        // A group below may vanish at any time.
        all.extend(processes(&child).unwrap_or_default());
    }
    Ok(all)
}

/// The groups right below one; none if it is gone.
pub(crate) fn children(group: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(group) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn join(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Cgroup directories are removed by rmdir alone, deepest first.
pub(crate) fn remove_tree(dir: &Path) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)?.flatten() {
        if entry.path().is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    std::fs::remove_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_named_as_each_driver_wants_them() {
        let files = Cgroups::new("/", Driver::Cgroupfs);
        assert_eq!(files.parent(Qos::Guaranteed, "a-b"), "/kubepods/poda-b");
        assert_eq!(files.parent(Qos::BestEffort, "a-b"), "/kubepods/besteffort/poda-b");
        let slices = Cgroups::new("/", Driver::Systemd);
        assert_eq!(slices.parent(Qos::Burstable, "a-b"), "kubepods-burstable-poda_b.slice");
        assert_eq!(Cgroups::new("/n1", Driver::Cgroupfs).parent(Qos::Burstable, "u"), "/n1/kubepods/burstable/podu");
    }

    #[test]
    fn limits_are_written_to_a_recorded_v2_tree() {
        let mount = std::env::temp_dir().join(format!("cg2-{}", std::process::id()));
        std::fs::create_dir_all(mount.join("kubepods")).expect("made");
        for dir in [mount.clone(), mount.join("kubepods")] {
            std::fs::write(dir.join("cgroup.controllers"), "cpu memory\n").expect("written");
        }
        let groups = Cgroups { mount: mount.clone(), root: String::new(), driver: Driver::Cgroupfs };
        let limits = PodLimits { cpu_shares: 1024, cpu_quota: Some(50_000), memory: Some(1 << 20) };
        groups.create("/kubepods/pod1", limits).expect("created");
        let read = |file: &str| std::fs::read_to_string(mount.join("kubepods/pod1").join(file)).expect("readable");
        assert_eq!(
            (read("cpu.weight"), read("cpu.max"), read("memory.max")),
            ("39".into(), "50000 100000".into(), "1048576".into())
        );
        std::fs::remove_dir_all(mount).expect("removed");
    }
}
