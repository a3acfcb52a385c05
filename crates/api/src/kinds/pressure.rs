//! nakhoda.dev/v1alpha1 NodePressure: how long tasks of a node's pods were stalled for want of a resource. A custom
//! resource of this project's own, defined by `deploy/addons/pressure.yaml`: a kubelet writes its node's, the
//! scheduler and ctl read all.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::{ClusterResourceScope, Metadata, Resource};
use serde::{Deserialize, Serialize};

/// Group and version.
pub const API_VERSION: &str = "nakhoda.dev/v1alpha1";
const GROUP: &str = "nakhoda.dev";
const VERSION: &str = "v1alpha1";

/// How long the tasks of a node's pods were stalled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodePressure {
    /// The node's name; it owns the object.
    pub metadata: ObjectMeta,
    /// When this was written, which is when it changed.
    pub time: Option<Time>,
    /// All pods of the node together.
    pub node: Stalls,
    /// The pods that were stalled most, those that hardly were left out.
    pub pods: Vec<PodPressure>,
}

/// How long the tasks of a pod were stalled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodPressure {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// How long.
    #[serde(flatten)]
    pub stalls: Stalls,
}

/// Stalls by resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stalls {
    /// Waiting for a processor.
    pub cpu: Stall,
    /// Waiting for memory to be reclaimed or brought back.
    pub memory: Stall,
    /// Waiting for a disk.
    pub io: Stall,
}

/// Parts of the time, in per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stall {
    /// In which at least one task was stalled.
    pub some: u8,
    /// In which all that had something to do were.
    pub full: u8,
}

// === impl Stalls ===

impl Stalls {
    /// The resources, as people call them, in the order of [`Stalls::each`].
    pub const NAMES: [&'static str; 3] = ["cpu", "memory", "io"];

    /// Resource by resource.
    #[must_use]
    pub const fn each(self) -> [Stall; 3] {
        [self.cpu, self.memory, self.io]
    }

    /// The longest of all.
    #[must_use]
    pub fn worst(self) -> u8 {
        self.each().iter().map(|stall| stall.some.max(stall.full)).max().unwrap_or_default()
    }
}

// === impl NodePressure ===

impl Resource for NodePressure {
    const API_VERSION: &'static str = API_VERSION;
    const GROUP: &'static str = GROUP;
    const KIND: &'static str = "NodePressure";
    const VERSION: &'static str = VERSION;
    const URL_PATH_SEGMENT: &'static str = "nodepressures";
    type Scope = ClusterResourceScope;
}

impl Metadata for NodePressure {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
