//! [`Config`]: which API server, whom to trust, and who we are. From a kubeconfig, or from the
//! service account of a pod.
//!
//! Absent: credential plugins, basic authentication, proxies and the skipping of verification, each
//! refused by name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nakhoda_daemon::file::{self, Unreadable};
use nakhoda_rpc::transport::{Address, AddressError, Connector};

pub mod identity;
pub mod kubeconfig;
pub mod place;
pub mod token;

use identity::{Identity, Material, Origin};
use kubeconfig::{Kubeconfig, Selected};
pub use place::Place;
pub use token::Bearer;

/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How to reach an API server. Cheap to clone.
#[derive(Clone)]
pub struct Config {
    addresses: Vec<Address>,
    connector: Connector,
    bearer: Bearer,
    namespace: String,
}

/// A configuration that cannot be used. Each names the file and the field.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
    /// A kubeconfig is not the YAML it should be.
    #[error("{path} is not a kubeconfig")]
    Yaml {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A field is missing, wrong, or asks for what is not supported.
    #[error("{path}: {field}: {why}")]
    Field {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: String,
        /// What is wrong with it and how to fix it.
        why: String,
    },
    /// The address of the server cannot be used.
    #[error("{path}: {field}")]
    Address {
        /// Which file, or what else gave the address.
        path: PathBuf,
        /// Which field.
        field: String,
        /// Why not.
        #[source]
        source: AddressError,
    },
    /// A certificate or a key cannot be used.
    #[error("{path}: the certificates cannot be used")]
    Tls {
        /// Which file named them.
        path: PathBuf,
        /// Why not.
        #[source]
        source: nakhoda_daemon::tls::TlsError,
    },
    /// There is no configuration at all.
    #[error("no kubeconfig: pass --kubeconfig FILE, or set KUBECONFIG, or write ~/.kube/config")]
    None,
}

// === impl Config ===

impl Config {
    /// The current context of a kubeconfig.
    pub fn from_kubeconfig(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::select(&Kubeconfig::read(path.as_ref())?, None)
    }

    /// A named context of a kubeconfig.
    pub fn from_context(path: impl AsRef<Path>, context: &str) -> Result<Self, ConfigError> {
        Self::select(&Kubeconfig::read(path.as_ref())?, Some(context))
    }

    /// A context, by default the current one, of what [`Kubeconfig::read`] or [`Kubeconfig::find`] gave.
    pub fn select(kubeconfig: &Kubeconfig, context: Option<&str>) -> Result<Self, ConfigError> {
        let selected = kubeconfig.select(context)?;
        let context = context.unwrap_or(&kubeconfig.current_context).to_owned();
        let origin = selected.in_one_file.then(|| Origin { path: selected.path.clone(), context });
        let Selected { ref path, ref field, cluster, user, namespace, .. } = selected;
        let addresses = addresses(path, &format!("{field}.server"), cluster.server.split(','))?;
        let identity = Identity::following(path, selected.certificates()?, origin)?;
        let server_name = cluster.tls_server_name.as_deref();
        Self::build(path, addresses, identity, server_name, Bearer::of_user(path, user)?, namespace)
    }

    /// The service account of this pod. Without `addresses`, the cluster's own Service is used.
    pub fn in_cluster(addresses: Vec<String>) -> Result<Self, ConfigError> {
        Self::from_account(Path::new(ACCOUNT), addresses)
    }

    /// The same with the service account in another directory.
    pub fn from_account(directory: &Path, urls: Vec<String>) -> Result<Self, ConfigError> {
        let urls = if urls.is_empty() { vec![service_url(directory)?] } else { urls };
        let addresses = addresses(directory, "addresses", urls.iter().map(String::as_str))?;
        let identity = Identity::new(directory, Material::File(directory.join("ca.crt")), None)?;
        let namespace = file::text(&directory.join("namespace"))?;
        let bearer = Bearer::of_file(&directory.join("token"))?;
        Self::build(directory, addresses, identity, None, bearer, namespace.trim())
    }

    /// The addresses that are tried in turn.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The namespace of the context, or of the pod; `default` if none is named.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The TLS connector behind every channel.
    #[must_use]
    pub fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// What proves who we are where the certificate does not.
    #[must_use]
    pub fn bearer(&self) -> Bearer {
        self.bearer.clone()
    }

    fn build(
        path: &Path,
        addresses: Vec<Address>,
        identity: Identity,
        server_name: Option<&str>,
        bearer: Bearer,
        namespace: &str,
    ) -> Result<Self, ConfigError> {
        let connector = Connector::new(addresses.clone(), Arc::new(identity), server_name)
            .map_err(|source| ConfigError::Address { path: path.into(), field: "server".into(), source })?;
        let namespace = if namespace.is_empty() { "default" } else { namespace }.to_owned();
        Ok(Self { addresses, connector, bearer, namespace })
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

fn addresses<'a>(path: &Path, field: &str, urls: impl Iterator<Item = &'a str>) -> Result<Vec<Address>, ConfigError> {
    urls.map(|url| {
        Address::parse(url).map_err(|source| ConfigError::Address { path: path.into(), field: field.into(), source })
    })
    .collect()
}

fn service_url(path: &Path) -> Result<String, ConfigError> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| ConfigError::Field {
            path: path.into(),
            field: name.into(),
            why: "is not set; this is no pod of a cluster, pass --apiserver https://HOST:PORT".into(),
        })
    };
    let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT")?);
    Ok(if host.contains(':') { format!("https://[{host}]:{port}") } else { format!("https://{host}:{port}") })
}

#[cfg(test)]
mod tests;
