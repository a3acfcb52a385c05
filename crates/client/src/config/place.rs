//! Where a process of the cluster runs, as its command line says: outside with a kubeconfig, or in a pod
//! with the pod's service account and the facts of the cluster's ConfigMap.

use std::path::PathBuf;

use super::{Config, ConfigError};
use nakhoda_daemon::file;

/// The options of processes that run in pods.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// A kubeconfig; without one the pod's service account is used
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Use the pod's service account: the default without --kubeconfig
    #[arg(long, conflicts_with = "kubeconfig")]
    in_cluster: bool,
    /// Folder with the cluster's facts: the files `apiservers`, `clusterCIDR` …
    #[arg(long, default_value = "/etc/nakhoda/cluster")]
    cluster_config: PathBuf,
}

// === impl Place ===

impl Place {
    /// How the API servers are reached. In a pod by the list in the ConfigMap: the ClusterIP is what the
    /// proxy makes work, and the names are what the name server tells.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let Some(path) = &self.kubeconfig else {
            let urls = self.fact("apiservers")?;
            let urls = urls.split([',', '\n']).map(str::trim).filter(|s| !s.is_empty());
            return Config::in_cluster(urls.map(Into::into).collect());
        };
        Config::from_kubeconfig(path)
    }

    /// One fact of the cluster.
    pub fn fact(&self, name: &str) -> Result<String, ConfigError> {
        Ok(file::text(&self.cluster_config.join(name))?.trim().to_owned())
    }
}
