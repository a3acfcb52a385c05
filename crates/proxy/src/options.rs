//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;

/// Makes Services answer on a node.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "proxy", version)]
pub struct Options {
    /// Options of every daemon.
    #[command(flatten)]
    pub common: nakhoda_daemon::Common,
    /// A kubeconfig; without one the pod's service account is used
    #[arg(long)]
    pub kubeconfig: Option<PathBuf>,
    /// Use the pod's service account: the default without --kubeconfig
    #[arg(long, conflicts_with = "kubeconfig")]
    pub in_cluster: bool,
    /// Folder with the cluster's facts: the files `apiservers` and `clusterCIDR`
    #[arg(long, default_value = "/etc/nakhoda/cluster")]
    pub cluster_config: PathBuf,
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
    /// The API servers that the cluster's ConfigMap names. The ClusterIP is what this process makes work.
    pub fn apiservers(&self) -> anyhow::Result<Vec<String>> {
        let urls = self.fact("apiservers")?;
        Ok(urls.split([',', '\n']).map(str::trim).filter(|s| !s.is_empty()).map(Into::into).collect())
    }

    /// The range of the pods' addresses.
    pub fn pod_cidr(&self) -> anyhow::Result<String> {
        self.cluster_cidr.clone().map_or_else(|| self.fact("clusterCIDR"), Ok)
    }

    fn fact(&self, name: &str) -> anyhow::Result<String> {
        let path = self.cluster_config.join(name);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(text.trim().to_owned())
    }
}
