//! The cgroup hierarchy in which the kernel measures stalls: the host's own on cgroup v2. On v1 it is one of version 2
//! that has no controllers, mounted by the kubelet below its run directory: each pod has a group in it at the same path
//! as elsewhere, so below the node's, and the processes of the pod are moved there. Several kubelets of a host see one
//! hierarchy, each its own part. A runtime that finds such a hierarchy at `/sys/fs/cgroup/unified` sorts its containers
//! into the same groups itself; what stands there is left where it is.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::psi::{self, Totals};
use crate::cgroup::{Cgroups, children, processes, remove_tree};

/// The groups of one node.
#[derive(Debug)]
pub struct Hierarchy {
    mount: PathBuf,
    cgroups: Cgroups,
    /// Whether it is the kubelet's own, so that nobody else sorts pods into it.
    own: bool,
}

// === impl Hierarchy ===

impl Hierarchy {
    /// The host's, or one that is mounted at `at`; none if this kernel does not measure stalls.
    pub fn open(cgroups: &Cgroups, at: &Path) -> io::Result<Option<Self>> {
        if !Path::new("/proc/pressure/cpu").exists() {
            return Ok(None);
        }
        if cgroups.is_v2() {
            return Ok(Some(Self { mount: cgroups.mount().into(), cgroups: cgroups.clone(), own: false }));
        }
        std::fs::create_dir_all(at)?;
        if !at.join("cgroup.procs").exists() {
            mount("cgroup2", at, "cgroup2", MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC, None)?;
        }
        Ok(Some(Self { mount: at.into(), cgroups: cgroups.clone(), own: true }))
    }

    /// What all pods of the node have been stalled; nothing before there was one.
    pub fn node(&self) -> io::Result<Totals> {
        match self.read(&self.cgroups.pods()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Totals::default()),
            read => read,
        }
    }

    /// What a pod has been stalled, under the name that [`Cgroups::parent`] gave it.
    pub fn pod(&self, parent: &str) -> io::Result<Totals> {
        self.read(&self.cgroups.directory(parent))
    }

    /// Moves those of a pod's processes that are not in its group into it.
    pub fn gather(&self, parent: &str) -> io::Result<()> {
        if !self.own {
            return Ok(());
        }
        let group = self.at(&self.cgroups.directory(parent));
        std::fs::create_dir_all(&group)?;
        let there: HashSet<u32> = processes(&group)?.into_iter().collect();
        for process in self.cgroups.processes(parent)?.into_iter().filter(|process| !there.contains(process)) {
            // It may have ended since.
            if let Err(error) = std::fs::write(group.join("cgroup.procs"), process.to_string()) {
                tracing::debug!(%error, process, parent, "not moved");
            }
        }
        Ok(())
    }

    /// The pods that have a group, by UID. To be asked before who is known: see [`Hierarchy::forget`].
    #[must_use]
    pub fn pods(&self) -> Vec<String> {
        if !self.own {
            return Vec::new();
        }
        self.pod_groups().into_iter().filter_map(|group| uid(&group)).collect()
    }

    /// Removes the groups of pods that are gone. None of them may be one that begins: the runtime makes groups, too.
    pub fn forget(&self, gone: &HashSet<String>) {
        for group in self.pod_groups() {
            if self.own && uid(&group).is_some_and(|uid| gone.contains(&uid)) {
                tidy(&group);
            }
        }
    }

    /// Removes all groups without processes, and the mount. Those of pods that run on stay for the next kubelet.
    pub fn close(&self) -> io::Result<()> {
        if !self.own {
            return Ok(());
        }
        let node = self.at(self.cgroups.root());
        for group in self.pod_groups() {
            tidy(&group);
        }
        let pods = self.at(&self.cgroups.pods());
        for level in [pods.join("besteffort"), pods.join("burstable"), pods] {
            // Only what is empty goes, and the topmost is never the hierarchy itself.
            drop(std::fs::remove_dir(level));
        }
        if node != self.mount {
            drop(std::fs::remove_dir(node));
        }
        Ok(unmount(&self.mount, UnmountFlags::DETACH)?)
    }

    fn at(&self, group: &str) -> PathBuf {
        self.mount.join(group.trim_matches('/'))
    }

    fn read(&self, group: &str) -> io::Result<Totals> {
        let mut totals = Totals::default();
        for (total, resource) in totals.iter_mut().zip(["cpu", "memory", "io"]) {
            let file = self.at(group).join(format!("{resource}.pressure"));
            let odd = || io::Error::new(io::ErrorKind::InvalidData, format!("{} is odd", file.display()));
            *total = psi::parse(&std::fs::read_to_string(&file)?).ok_or_else(odd)?;
        }
        Ok(totals)
    }

    fn pod_groups(&self) -> Vec<PathBuf> {
        let pods = self.at(&self.cgroups.pods());
        let levels = children(&pods).into_iter().filter(|level| uid(level).is_none()).chain([pods]);
        levels.flat_map(|level| children(&level)).filter(|group| uid(group).is_some()).collect()
    }
}

/// Whose group it is: `podUID`, or a slice that ends with that.
fn uid(group: &Path) -> Option<String> {
    let name = group.file_name()?.to_str()?;
    match name.strip_suffix(".slice") {
        Some(slice) => Some(slice.rsplit_once("-pod")?.1.replace('_', "-")),
        None => name.strip_prefix("pod").map(str::to_owned),
    }
}

fn tidy(group: &Path) {
    if let Err(error) = remove_tree(group) {
        tracing::debug!(%error, group = %group.display(), "group stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::Driver;

    const UID: &str = "0a7c320e-6405-415e-9fc0-372bb21f27e6";

    #[test]
    fn groups_tell_whose_they_are_under_either_driver() {
        for (group, whose) in [
            (format!("/x/kubepods/besteffort/pod{UID}"), Some(UID)),
            (format!("/x/kubepods-burstable-pod{}.slice", UID.replace('-', "_")), Some(UID)),
            ("/x/kubepods".into(), None),
            ("/x/kubepods/burstable".into(), None),
            ("/x/kubepods-burstable.slice".into(), None),
        ] {
            assert_eq!(uid(Path::new(&group)).as_deref(), whose, "{group}");
        }
    }

    /// Plain directories stand for groups: what is tested is which are read and removed.
    #[test]
    fn a_pods_group_lies_below_its_nodes_and_goes_with_it() {
        let scratch = std::env::temp_dir().join(format!("hierarchy-{}", std::process::id()));
        let cgroups = Cgroups::new("/n1", Driver::Cgroupfs);
        let hierarchy = Hierarchy { mount: scratch.clone(), cgroups, own: true };
        let other = "11111111-6405-415e-9fc0-372bb21f27e6";
        let (mine, foreign) = (scratch.join("n1/kubepods/burstable"), scratch.join("n2/kubepods"));
        std::fs::create_dir_all(mine.join(format!("pod{UID}/container"))).expect("made");
        std::fs::create_dir_all(foreign.join(format!("pod{other}"))).expect("made");
        assert_eq!(hierarchy.pods(), [UID]);
        assert_eq!(hierarchy.node().expect("no pod was ever there"), Totals::default());
        for (resource, some) in [("cpu", 3), ("memory", 2), ("io", 1)] {
            let text = format!("some avg10=0.00 avg60=0.00 avg300=0.00 total={some}\n");
            std::fs::write(mine.join(format!("pod{UID}/{resource}.pressure")), text).expect("written");
        }
        let read = hierarchy.pod(&format!("/n1/kubepods/burstable/pod{UID}")).expect("read");
        assert_eq!(read.map(|total| total.some), [3, 2, 1]);
        for resource in ["cpu", "memory", "io"] {
            std::fs::remove_file(mine.join(format!("pod{UID}/{resource}.pressure"))).expect("removed");
        }
        hierarchy.forget(&HashSet::from([other.to_owned()]));
        assert_eq!(hierarchy.pods(), [UID]);
        hierarchy.forget(&HashSet::from([UID.to_owned()]));
        assert!(hierarchy.pods().is_empty() && foreign.join(format!("pod{other}")).is_dir());
        std::fs::remove_dir_all(scratch).expect("removed");
    }
}
