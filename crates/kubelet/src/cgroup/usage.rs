//! What a cgroup has used: processor time since it was made, and memory. Absent: swap.

use std::io;
use std::path::PathBuf;

use super::{Cgroups, Driver, join};

/// What a cgroup has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Nanoseconds of processor time.
    pub cpu: u64,
    /// Bytes of memory that the kernel cannot take back easily: all but the inactive pages of files.
    pub working_set: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of memory that belong to no file.
    pub rss: u64,
}

// === impl Cgroups ===

impl Cgroups {
    /// What all pods of the node use together; of the whole machine, where the node has no group of its own.
    pub fn node_usage(&self) -> io::Result<Usage> {
        match self.read(&self.root) {
            // The group comes with the first pod.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.root.is_empty() => Ok(Usage::default()),
            read => read,
        }
    }

    /// What a pod uses, under the name that [`Cgroups::parent`] gave it.
    pub fn pod_usage(&self, parent: &str) -> io::Result<Usage> {
        self.read(&self.directory(parent))
    }

    /// What a container of such a pod uses.
    pub fn container_usage(&self, parent: &str, id: &str) -> io::Result<Usage> {
        let own = if self.driver == Driver::Systemd { format!("cri-containerd-{id}.scope") } else { id.to_owned() };
        self.read(&format!("{}/{own}", self.directory(parent)))
    }

    /// Where a group lies: systemd puts each slice below those that its name begins with.
    pub(crate) fn directory(&self, parent: &str) -> String {
        let Some(name) = parent.strip_suffix(".slice").filter(|_| self.driver == Driver::Systemd) else {
            return parent.to_owned();
        };
        let ends = name.match_indices('-').map(|(end, _)| end).chain([name.len()]);
        ends.map(|end| format!("/{}.slice", &name[..end])).collect()
    }

    fn read(&self, group: &str) -> io::Result<Usage> {
        if self.is_v2() { self.read_v2(join(&self.mount, group)) } else { self.read_v1(group) }
    }

    fn read_v1(&self, group: &str) -> io::Result<Usage> {
        let file = |controller: &str, name: &str| {
            std::fs::read_to_string(join(&self.mount.join(controller), group).join(name))
        };
        let stat = file("memory", "memory.stat")?;
        let memory = number(&file("memory", "memory.usage_in_bytes")?)?;
        Ok(Usage {
            cpu: number(&file("cpuacct", "cpuacct.usage")?)?,
            working_set: memory.saturating_sub(field(&stat, "total_inactive_file")),
            memory,
            rss: field(&stat, "total_rss"),
        })
    }

    fn read_v2(&self, dir: PathBuf) -> io::Result<Usage> {
        let file = |name: &str| std::fs::read_to_string(dir.join(name));
        let cpu = field(&file("cpu.stat")?, "usage_usec") * 1000;
        let stat = file("memory.stat")?;
        let memory = match file("memory.current") {
            Ok(text) => number(&text)?,
            // The group of the whole machine has no counter of its own.
            Err(error) if error.kind() == io::ErrorKind::NotFound => all_of_machine(),
            Err(error) => return Err(error),
        };
        let working_set = memory.saturating_sub(field(&stat, "inactive_file"));
        Ok(Usage { cpu, working_set, memory, rss: field(&stat, "anon") })
    }
}

fn number(text: &str) -> io::Result<u64> {
    text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The number behind a name; 0 where the kernel does not tell it.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

fn all_of_machine() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    kilobytes("MemTotal").saturating_sub(kilobytes("MemFree")) * 1024
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    fn groups(name: &str, driver: Driver) -> Cgroups {
        let mount = std::env::temp_dir().join(format!("cgroup-usage-{name}-{}", std::process::id()));
        Cgroups { mount, root: "node".into(), driver }
    }

    #[test]
    fn the_files_of_both_versions_tell_the_same() {
        let wanted = Usage { cpu: 5_000_000, working_set: 700, memory: 1000, rss: 600 };
        let one = groups("1", Driver::Cgroupfs);
        write(&one.mount.join("cpuacct/node/cpuacct.usage"), "5000000\n");
        write(&one.mount.join("memory/node/memory.usage_in_bytes"), "1000\n");
        write(&one.mount.join("memory/node/memory.stat"), "cache 1\nrss 1\ntotal_rss 600\ntotal_inactive_file 300\n");
        assert_eq!(one.node_usage().expect("read"), wanted);
        let two = groups("2", Driver::Cgroupfs);
        write(&two.mount.join("cgroup.controllers"), "cpu memory\n");
        write(&two.mount.join("kubepods/podu/c1/cpu.stat"), "usage_usec 5000\nuser_usec 1\n");
        write(&two.mount.join("kubepods/podu/c1/memory.current"), "1000\n");
        write(&two.mount.join("kubepods/podu/c1/memory.stat"), "anon 600\ninactive_file 300\n");
        assert_eq!(two.container_usage("/kubepods/podu", "c1").expect("read"), wanted);
        for groups in [one, two] {
            std::fs::remove_dir_all(groups.mount).expect("removed");
        }
    }

    #[test]
    fn slices_lie_below_those_that_their_names_begin_with() {
        let systemd = groups("3", Driver::Systemd);
        assert_eq!(
            systemd.directory("kubepods-burstable-podu.slice"),
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podu.slice"
        );
    }

    #[test]
    fn a_group_that_is_gone_is_an_error_and_a_node_without_pods_uses_nothing() {
        let groups = groups("4", Driver::Cgroupfs);
        assert!(groups.pod_usage("/kubepods/pod1").is_err());
        assert_eq!(groups.node_usage().ok(), Some(Usage::default()));
    }
}
