//! The flags of the API server. Names are upstream's where upstream has the flag.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use nakhoda_daemon::Common;

pub mod authentication;
pub mod authorization;

pub use authentication::Authentication;
pub use authorization::Authorization;

use crate::admission::selection::{Selection, SelectionError};
use crate::alloc::{AddressRange, PortRange};

/// The API server: the one process that persists objects.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "apiserver", version)]
pub struct Options {
    /// Shared by all daemons.
    #[command(flatten)]
    pub common: Common,
    /// Where to listen.
    #[command(flatten)]
    pub serving: Serving,
    /// Where objects are kept.
    #[command(flatten)]
    pub etcd: Etcd,
    /// Who is who.
    #[command(flatten)]
    pub identity: Identity,
    /// Whose credentials from outside are believed.
    #[command(flatten)]
    pub authentication: Authentication,
    /// Who decides what callers may do.
    #[command(flatten)]
    pub authorization: Authorization,
    /// How kubelets are reached.
    #[command(flatten)]
    pub kubelet: Kubelet,
    /// The addresses that Services get.
    #[arg(long, value_name = "CIDR", default_value = "10.96.0.0/16")]
    pub service_cluster_ip_range: AddressRange,
    /// The node ports that Services get.
    #[arg(long, value_name = "FIRST-LAST", default_value = "30000-32767")]
    pub service_node_port_range: PortRange,
    /// Archives of the images that nodes need for the cluster's own pods (`docker save`, named *.tar).
    #[arg(long, value_name = "DIR")]
    pub image_folder: Option<PathBuf>,
    /// What is told of requests, and where.
    #[command(flatten)]
    pub audit: Audit,
    /// What becomes of objects before they are stored.
    #[command(flatten)]
    pub admission: Admission,
    /// Seats for requests that run at a time, together with those of the next flag.
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub max_requests_inflight: usize,
    /// Further seats.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_mutating_requests_inflight: usize,
}

/// Where to listen.
#[derive(Clone, Debug, clap::Args)]
pub struct Serving {
    /// An address to listen on; may be repeated.
    #[arg(long, value_name = "IP", default_value = "0.0.0.0")]
    pub bind_address: Vec<IpAddr>,
    /// The port to listen on, for gRPC and REST alike.
    #[arg(long, value_name = "PORT", default_value_t = 6443)]
    pub secure_port: u16,
    /// The address at which pods and nodes reach this server; by default that of the default route.
    #[arg(long, value_name = "IP")]
    pub advertise_address: Option<IpAddr>,
    /// The port there; by default the secure port.
    #[arg(long, value_name = "PORT")]
    pub advertise_port: Option<u16>,
    /// The certificate that is shown to clients.
    #[arg(long, value_name = "FILE")]
    pub tls_cert_file: PathBuf,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub tls_private_key_file: PathBuf,
}

/// Where objects are kept.
#[derive(Clone, Debug, clap::Args)]
pub struct Etcd {
    /// URLs, separated by commas.
    #[arg(long, value_name = "URL", value_delimiter = ',', default_value = "https://127.0.0.1:2379")]
    pub etcd_servers: Vec<String>,
    /// The CA of etcd's certificate.
    #[arg(long, value_name = "FILE")]
    pub etcd_cafile: Option<PathBuf>,
    /// The certificate that is shown to etcd.
    #[arg(long, value_name = "FILE")]
    pub etcd_certfile: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub etcd_keyfile: Option<PathBuf>,
    /// An EncryptionConfiguration: how values are encrypted in etcd. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    pub encryption_provider_config: Option<PathBuf>,
    /// Where the highest revision that was given out is kept. An etcd that is below it is not served: clients would be
    /// told the past twice.
    #[arg(long, value_name = "FILE")]
    pub revision_file: Option<PathBuf>,
    /// Serve nothing: raise etcd's revision above this one, forget the history before, and end. What must be done
    /// to an etcd that was restored from a backup (scripts/etcd-restore does it).
    #[arg(long, value_name = "REVISION")]
    pub raise_revision_above: Option<u64>,
}

/// Who is who.
#[derive(Clone, Debug, clap::Args)]
pub struct Identity {
    /// The CA whose client certificates are believed.
    #[arg(long, value_name = "FILE")]
    pub client_ca_file: PathBuf,
    /// The key that signs service-account tokens; its public half checks them.
    #[arg(long, value_name = "FILE")]
    pub service_account_signing_key_file: PathBuf,
    /// Further keys that check them (in PEM, several in a file), for tokens that were signed before.
    #[arg(long, value_name = "FILE")]
    pub service_account_key_file: Vec<PathBuf>,
    /// The CA of who may name callers in headers (X-Remote-User and its kin); other API servers are told it too.
    #[arg(long, value_name = "FILE")]
    pub requestheader_client_ca_file: Option<PathBuf>,
    /// The common names of who may do so; any if empty.
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "front-proxy-client")]
    pub requestheader_allowed_names: Vec<String>,
    /// The certificate that is shown to other API servers, from that CA.
    #[arg(long, value_name = "FILE")]
    pub proxy_client_cert_file: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub proxy_client_key_file: Option<PathBuf>,
    /// The issuer that tokens name.
    #[arg(long, value_name = "URL", default_value = "https://kubernetes.default.svc.cluster.local")]
    pub service_account_issuer: String,
}

/// What is told of requests, and where. Names are upstream's.
#[derive(Clone, Debug, clap::Args)]
pub struct Audit {
    /// An audit.k8s.io/v1 Policy: which requests are told of. None if it is not given.
    #[arg(long, value_name = "FILE")]
    pub audit_policy_file: Option<PathBuf>,
    /// Where events are written, a line of JSON each; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub audit_log_path: Option<PathBuf>,
    /// Days that old log files are kept; 0: for ever.
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    pub audit_log_maxage: u64,
    /// How many old log files are kept; 0: all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub audit_log_maxbackup: usize,
    /// Megabytes at which a log file is put aside.
    #[arg(long, value_name = "MB", default_value_t = 100)]
    pub audit_log_maxsize: u64,
    /// A kubeconfig of a webhook that gets the events.
    #[arg(long, value_name = "FILE")]
    pub audit_webhook_config_file: Option<PathBuf>,
    /// Events that may wait for the webhook; more are lost.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub audit_webhook_batch_buffer_size: usize,
    /// Events that go to the webhook at a time.
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub audit_webhook_batch_max_size: usize,
    /// Seconds that events wait for others.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub audit_webhook_batch_max_wait: u64,
}

/// What becomes of objects before they are stored. Names are upstream's.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Admission {
    /// Admission plugins to run besides those that run by default, separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub enable_admission_plugins: Vec<String>,
    /// Admission plugins not to run though they would by default, separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub disable_admission_plugins: Vec<String>,
    /// An AdmissionConfiguration: the configurations of plugins.
    #[arg(long, value_name = "FILE")]
    pub admission_control_config_file: Option<PathBuf>,
}

/// How kubelets are reached.
#[derive(Clone, Debug, clap::Args)]
pub struct Kubelet {
    /// The certificate that is shown to kubelets.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_certificate: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_key: Option<PathBuf>,
    /// The CA of the kubelets' serving certificates.
    #[arg(long, value_name = "FILE")]
    pub kubelet_certificate_authority: Option<PathBuf>,
}

// === impl Admission ===

impl Admission {
    /// Which plugins run.
    pub fn selection(&self) -> Result<Selection, SelectionError> {
        let file = self.admission_control_config_file.as_deref();
        Selection::of(&self.enable_admission_plugins, &self.disable_admission_plugins, file)
    }
}

// === impl Serving ===

impl Serving {
    /// Every address to listen on.
    #[must_use]
    pub fn listen(&self) -> Vec<SocketAddr> {
        self.bind_address.iter().map(|ip| SocketAddr::new(*ip, self.secure_port)).collect()
    }
}
