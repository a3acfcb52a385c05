//! The flags of the controller-manager.

use std::path::PathBuf;

use nakhoda_daemon::Common;

/// The controller-manager: brings what is to what was asked for.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "controller-manager", version)]
pub struct Options {
    /// Where the API server is and who asks.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: PathBuf,
    /// Where health and metrics answer; plain http, so a loopback address.
    #[arg(long, default_value = "127.0.0.1:10257", value_name = "ADDRESS")]
    pub bind_address: std::net::SocketAddr,
    /// The addresses of all pods; each node gets a /24 of them.
    #[arg(long, default_value = "10.244.0.0/16", value_name = "CIDR")]
    pub cluster_cidr: String,
    /// The addresses of all services; told to the proxies.
    #[arg(long, default_value = "10.96.0.0/16", value_name = "CIDR")]
    pub service_cluster_ip_range: String,
    /// The domain of the cluster's names.
    #[arg(long, default_value = "cluster.local", value_name = "DOMAIN")]
    pub cluster_domain: String,
    /// The address of the cluster's DNS service.
    #[arg(long, default_value = "10.96.0.10", value_name = "IP")]
    pub cluster_dns: String,
    /// The authority that is published to every namespace as kube-root-ca.crt.
    #[arg(long, value_name = "FILE")]
    pub root_ca_file: Option<PathBuf>,
    /// Signs the tokens of Secrets of type kubernetes.io/service-account-token.
    #[arg(long, value_name = "FILE")]
    pub service_account_private_key_file: Option<PathBuf>,
    /// How long such a token may be unused before it is marked as not good any more, and then again before it goes.
    #[arg(long, default_value = "8760h", value_name = "DURATION")]
    pub legacy_service_account_token_clean_up_period: jiff::SignedDuration,
    /// The authority that signs certificate requests.
    #[arg(long, value_name = "FILE")]
    pub cluster_signing_cert_file: Option<PathBuf>,
    /// The key of that authority.
    #[arg(long, value_name = "FILE")]
    pub cluster_signing_key_file: Option<PathBuf>,
    /// How long the certificates live that it signs, at most; a request may ask for less.
    #[arg(long, default_value = "8760h", value_name = "DURATION")]
    pub cluster_signing_duration: jiff::SignedDuration,
    /// An address of an API server as nodes reach it, for example https://10.0.0.1:6443. Repeat it for more.
    #[arg(long = "advertise-apiserver", value_name = "URL")]
    pub advertise_apiserver: Vec<String>,
    /// Which controllers run: `*` for all, a name for that one, `-` and a name for all but that one.
    #[arg(long, value_delimiter = ',', default_value = "*", value_name = "NAMES", allow_hyphen_values = true)]
    pub controllers: Vec<String>,
    /// Do not run the cluster's own DaemonSets (proxy and dns).
    #[arg(long)]
    pub no_addons: bool,
    /// The tag of the images of proxy and dns; this program's version if not given.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"), value_name = "TAG")]
    pub addon_image_tag: String,
    /// How long a node may be silent before it counts as unreachable, in seconds.
    #[arg(long, default_value_t = 50, value_name = "SECONDS")]
    pub node_monitor_grace_period: u64,
    /// How many finished pods may stay; the oldest go first.
    #[arg(long, default_value_t = 12_500, value_name = "COUNT")]
    pub terminated_pod_gc_threshold: usize,
    /// Where nodes keep the volumes of the class local-path.
    #[arg(long, default_value = "/var/lib/nakhoda/local-path", value_name = "DIR")]
    pub local_path: String,
    /// The image of the pods that delete the data of such volumes; it has a shell's `rm`.
    #[arg(long, default_value = "busybox:1.36", value_name = "IMAGE")]
    pub local_path_image: String,
    /// What every daemon has.
    #[command(flatten)]
    pub common: Common,
}
