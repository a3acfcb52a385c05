//! What all pods of the node share: its name, paths, sizes, and the ways to the runtime and the API.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;
use tonic::transport::Channel;

use crate::cgroup::Cgroups;
use crate::cri::Cri;
use crate::dns;
use crate::downward::Facts;
use crate::eviction::Pressure;
use crate::image::pull::Puller;
use crate::pod::allocations::Allocations;
use crate::pod::spec;
use crate::source::Cluster;
use crate::usage::Meter;

/// The node as its pods see it.
pub struct Host {
    /// Name of the node.
    pub name: String,
    /// Its addresses.
    pub ips: Vec<String>,
    /// The runtime through CRI.
    pub cri: Cri,
    /// The runtime natively.
    pub channel: Channel,
    /// The API.
    pub cluster: Arc<dyn Cluster>,
    /// Fetches images.
    pub puller: Puller,
    /// The cgroup tree.
    pub cgroups: Cgroups,
    /// Where things lie.
    pub paths: Paths,
    /// How pods resolve names.
    pub dns: dns::Settings,
    /// What the node has to give.
    pub capacity: Capacity,
    /// When this process began.
    pub started: Timestamp,
    /// Where tasks run.
    pub tasks: Tasks,
    /// Which pod a container or sandbox of the runtime belongs to.
    pub owners: Owners,
    /// What its pods were given.
    pub allocations: Allocations,
    /// What it is short of.
    pub pressure: Pressure,
    /// What it, its pods and their containers use.
    pub meter: Meter,
}

/// What the node has to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Thousandths of cores.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes of disk.
    pub storage: i64,
    /// How many pods may run here.
    pub pods: u32,
}

/// The kubelet's directories.
#[derive(Clone, Debug)]
pub struct Paths {
    root: PathBuf,
}

/// Pod uids by the runtime's ids. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    uids: Arc<Mutex<HashMap<String, String>>>,
}

// === impl Host ===

impl Host {
    /// What the downward API may tell.
    #[must_use]
    pub fn facts<'a>(&'a self, pod_ips: &'a [String]) -> Facts<'a> {
        Facts {
            node: &self.name,
            host_ips: &self.ips,
            pod_ips,
            cpu: self.capacity.cpu,
            memory: self.capacity.memory,
            storage: self.capacity.storage,
        }
    }
}

// === impl Paths ===

impl Paths {
    /// Everything lies below `root`.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// All pods' directories.
    #[must_use]
    pub fn pods(&self) -> PathBuf {
        self.root.join("pods")
    }

    /// One pod's own directory.
    #[must_use]
    pub fn pod(&self, uid: &str) -> PathBuf {
        self.pods().join(uid)
    }

    /// Its volumes.
    #[must_use]
    pub fn volumes(&self, uid: &str) -> PathBuf {
        self.pod(uid).join("volumes")
    }

    /// What it was given, for the next kubelet.
    #[must_use]
    pub fn sizes(&self, uid: &str) -> PathBuf {
        self.pod(uid).join("sizes.json")
    }

    /// The `/etc/hosts` of its containers.
    #[must_use]
    pub fn hosts(&self, uid: &str) -> PathBuf {
        self.pod(uid).join("etc-hosts")
    }

    /// What one of its containers leaves, its termination message for example.
    #[must_use]
    pub fn container(&self, uid: &str, name: &str) -> PathBuf {
        self.pod(uid).join("containers").join(name)
    }

    /// Where paths inside the volumes of a pod are bound to: outside its directory.
    #[must_use]
    pub fn sub_paths(&self, uid: &str) -> PathBuf {
        self.root.join("sub-paths").join(uid)
    }

    /// All pods' logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// One pod's logs.
    #[must_use]
    pub fn pod_logs(&self, pod: &Pod) -> PathBuf {
        self.logs().join(format!("{}_{}_{}", spec::namespace(pod), spec::name(pod), spec::uid(pod)))
    }

    /// Where the streams of commands are.
    #[must_use]
    pub fn streams(&self) -> PathBuf {
        self.root.join("streams")
    }
}

// === impl Owners ===

impl Owners {
    /// Notes whose a container or sandbox is.
    pub fn note(&self, id: &str, uid: &str) {
        let mut uids = self.uids.lock();
        if !uids.contains_key(id) {
            uids.insert(id.into(), uid.into());
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<String> {
        self.uids.lock().get(id).cloned()
    }

    /// Forgets all that belonged to a pod.
    pub fn forget(&self, uid: &str) {
        self.uids.lock().retain(|_, owner| owner != uid);
    }
}
