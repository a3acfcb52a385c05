//! The command line.

use std::net::SocketAddr;

use nakhoda_client::config::{ConfigError, Place};

/// Makes Services answer on a node.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "proxy", version)]
pub struct Options {
    /// Options of every daemon.
    #[command(flatten)]
    pub common: nakhoda_daemon::Common,
    /// Where the cluster is.
    #[command(flatten)]
    pub place: Place,
    /// The range of the pods' addresses; read from --cluster-config if not given
    #[arg(long)]
    pub cluster_cidr: Option<String>,
    /// The name of this node
    #[arg(long, env = "NODE_NAME")]
    pub hostname_override: String,
    /// Where /healthz and /metrics are served
    #[arg(long, default_value = "127.0.0.1:10256")]
    pub health_bind: SocketAddr,
}

// === impl Options ===

impl Options {
    /// The range of the pods' addresses.
    pub fn pod_cidr(&self) -> Result<String, ConfigError> {
        self.cluster_cidr.clone().map_or_else(|| self.place.fact("clusterCIDR"), Ok)
    }
}
