//! The command line.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use nakhoda_daemon::Common;
use nakhoda_daemon::pki::join::Token;

use crate::cgroup::Driver;
use crate::eviction;
use crate::eviction::threshold::{self, Least, Span, Values};

/// Whose containerd runs the pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    /// One of the kubelet's own, configured and supervised by it.
    #[default]
    Managed,
    /// The one at `--container-runtime-endpoint`.
    Remote,
}

/// Runs the pods of one node through containerd.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "kubelet", version)]
pub struct Options {
    /// How to reach the API server, and as whom. Without it the machine joins by --apiserver.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["apiserver", "token", "ca_hash"])]
    pub kubeconfig: Option<PathBuf>,
    /// An API server of the cluster to join, for example https://10.0.0.1:6443. Several are separated by commas.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub apiserver: Vec<String>,
    /// The token to join by, once: ctl token create prints it.
    #[arg(long, value_name = "ID.SECRET", env = "NAKHODA_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
    /// The hash of the authority to trust, as ctl token create prints it.
    #[arg(long, value_name = "sha256:HEX")]
    pub ca_hash: Option<String>,
    /// A KubeletConfiguration (kubelet.config.k8s.io/v1beta1). Flags go before what it says.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A folder of further ones, `*.conf`, merged into it in the order of their names.
    #[arg(long, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
    /// Fields of them that change nothing here.
    #[arg(skip)]
    pub ineffective: Vec<String>,
    /// Name of the node; the machine's hostname if not given.
    #[arg(long)]
    pub hostname_override: Option<String>,
    /// Address of the node; the one that faces the API server if not given.
    #[arg(long)]
    pub node_ip: Option<IpAddr>,
    /// Labels of the node, `key=value,…`.
    #[arg(long, value_parser = labels, default_value = "")]
    pub node_labels: BTreeMap<String, String>,
    /// Where everything of the kubelet's lies.
    #[arg(long, default_value = "/var/lib/nakhoda/kubelet")]
    pub root_dir: PathBuf,
    /// Where sockets lie; must be short. Below the root directory if not given.
    #[arg(long)]
    pub run_dir: Option<PathBuf>,
    /// Whose containerd runs the pods.
    #[arg(long, value_enum, default_value_t)]
    pub container_runtime: Runtime,
    /// Socket of a containerd that is there already.
    #[arg(long, required_if_eq("container_runtime", "remote"))]
    pub container_runtime_endpoint: Option<PathBuf>,
    /// Where the CNI plugins are.
    #[arg(long, default_value = "/usr/lib/cni")]
    pub cni_bin_dir: PathBuf,
    /// Addresses of the cluster's DNS.
    #[arg(long, value_delimiter = ',')]
    pub cluster_dns: Vec<IpAddr>,
    /// Domain of the cluster.
    #[arg(long, default_value = "cluster.local")]
    pub cluster_domain: String,
    /// How the node itself resolves names.
    #[arg(long, default_value = "/etc/resolv.conf")]
    pub resolv_conf: PathBuf,
    /// Certificate of the server; without it the cluster signs one.
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// Key of the server.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_private_key_file: Option<PathBuf>,
    /// Who may sign clients' certificates; the cluster's authority if the machine joins by --apiserver.
    #[arg(long, value_name = "FILE", required_unless_present = "apiserver")]
    pub client_ca_file: Option<PathBuf>,
    /// Port of the server.
    #[arg(long, default_value_t = 10250)]
    pub port: u16,
    /// A folder of manifests of pods that run here whatever the API server says.
    #[arg(long, value_name = "DIR")]
    pub pod_manifest_path: Option<PathBuf>,
    /// How many pods may run here.
    #[arg(long, value_name = "N", default_value_t = 110)]
    pub max_pods: u32,
    /// Cgroup below which pods stand.
    #[arg(long, default_value = "/")]
    pub cgroup_root: String,
    /// Who makes cgroups.
    #[arg(long, value_enum, default_value_t)]
    pub cgroup_driver: Driver,
    /// When pods have to go.
    #[command(flatten)]
    pub evictions: Evictions,
    /// What every daemon has.
    #[command(flatten)]
    pub common: Common,
}

/// When pods have to go because the node is short of something.
#[derive(Clone, Debug, clap::Args)]
pub struct Evictions {
    /// At once: `SIGNAL<VALUE,…`.
    #[arg(long, value_parser = least, default_value = HARD)]
    pub eviction_hard: Values<Least>,
    /// After a time that --eviction-soft-grace-period says.
    #[arg(long, value_parser = least, default_value = "", requires = "eviction_soft_grace_period")]
    pub eviction_soft: Values<Least>,
    /// How long a soft threshold may be passed: `SIGNAL=1m30s,…`.
    #[arg(long, value_parser = |text: &str| Values::<Span>::parse(text, '='))]
    pub eviction_soft_grace_period: Option<Values<Span>>,
    /// Seconds that a pod gets to end when a soft threshold was passed.
    #[arg(long, default_value_t = 0)]
    pub eviction_max_pod_grace_period: i64,
    /// How long the node's condition holds on.
    #[arg(long, value_parser = Span::from_str, default_value = "5m")]
    pub eviction_pressure_transition_period: Span,
}

/// Upstream's.
const HARD: &str =
    "memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<15%,imagefs.inodesFree<5%";

// === impl Evictions ===

impl Evictions {
    /// What they come to on this disk.
    pub fn settings(&self, root: &Path) -> Result<eviction::run::Settings, String> {
        let graces = self.eviction_soft_grace_period.clone().unwrap_or_default();
        Ok(eviction::run::Settings {
            thresholds: threshold::all(&self.eviction_hard, &self.eviction_soft, &graces)?,
            grace: self.eviction_max_pod_grace_period,
            transition: self.eviction_pressure_transition_period.0,
            root: root.into(),
        })
    }
}

fn least(text: &str) -> Result<Values<Least>, String> {
    Values::parse(text, '<')
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, String> {
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        pair.split_once('=').map(|(k, v)| (k.into(), v.into())).ok_or(format!("{pair:?} is not key=value"))
    };
    pairs.map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_pairs() {
        assert_eq!(labels("a=1,b=2").expect("pairs").len(), 2);
        assert!(labels("").expect("none").is_empty());
        assert!(labels("a").is_err());
    }
}
