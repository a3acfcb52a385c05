//! metrics.k8s.io/v1beta1: what nodes and pods use. The public library of types lacks the group; what is here can be
//! read as a client reads it, and is never written by one.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::{ClusterResourceScope, Metadata, NamespaceResourceScope, Resource};
use serde::{Deserialize, Serialize};

use super::Quantity;

/// Group and version.
pub const API_VERSION: &str = "metrics.k8s.io/v1beta1";
const GROUP: &str = "metrics.k8s.io";
const VERSION: &str = "v1beta1";

/// What a node uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeMetrics {
    /// The node's name and labels.
    pub metadata: ObjectMeta,
    /// When it was measured.
    pub timestamp: Option<Time>,
    /// Over which time until then, as Go writes durations.
    pub window: String,
    /// Amounts by resource.
    pub usage: BTreeMap<String, Quantity>,
}

/// What the containers of a pod use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodMetrics {
    /// The pod's name and labels.
    pub metadata: ObjectMeta,
    /// When it was measured.
    pub timestamp: Option<Time>,
    /// Over which time until then, as Go writes durations.
    pub window: String,
    /// Those that run.
    pub containers: Vec<ContainerMetrics>,
}

/// What a container uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerMetrics {
    /// Its name.
    pub name: String,
    /// Amounts by resource.
    pub usage: BTreeMap<String, Quantity>,
}

macro_rules! resource {
    ($kind:ident, $plural:literal, $scope:ty) => {
        impl Resource for $kind {
            const API_VERSION: &'static str = API_VERSION;
            const GROUP: &'static str = GROUP;
            const KIND: &'static str = stringify!($kind);
            const VERSION: &'static str = VERSION;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = $scope;
        }

        impl Metadata for $kind {
            type Ty = ObjectMeta;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

resource!(NodeMetrics, "nodes", ClusterResourceScope);
resource!(PodMetrics, "pods", NamespaceResourceScope);
