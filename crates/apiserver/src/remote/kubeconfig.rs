//! A kubeconfig, as far as it says how to reach one server.

use std::path::{Path, PathBuf};

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nakhoda_daemon::file::{self, Unreadable};
use nakhoda_daemon::tls::{self, KeyPair};
use serde::Deserialize;

use super::{HOST_ROOTS, Server};

/// Why a kubeconfig cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
    /// It is no kubeconfig.
    #[error("not a kubeconfig")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// It does not say what it should.
    #[error("{0}")]
    Lacking(&'static str),
    /// A certificate cannot be used.
    #[error("its certificates cannot be used")]
    Tls(#[from] tls::TlsError),
    /// Data is not base64.
    #[error("its data is not base64")]
    Base64(#[from] base64::DecodeError),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    current_context: Option<String>,
    #[serde(default)]
    contexts: Vec<Named>,
    #[serde(default)]
    clusters: Vec<Named>,
    #[serde(default)]
    users: Vec<Named>,
}

#[derive(Default, Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    context: Context,
    #[serde(default)]
    cluster: Cluster,
    #[serde(default)]
    user: User,
}

#[derive(Default, Deserialize)]
struct Context {
    cluster: String,
    #[serde(default)]
    user: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Cluster {
    server: String,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct User {
    token: Option<String>,
    client_certificate: Option<PathBuf>,
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<String>,
}

/// The server of the current context.
pub(super) fn read(path: &Path) -> Result<Server, ConfigError> {
    let file: File = serde_saphyr::from_slice(&bytes(path)?).map_err(|error| ConfigError::Syntax(Box::new(error)))?;
    let current = file.current_context.unwrap_or_default();
    let context = find(&file.contexts, &current).ok_or(ConfigError::Lacking("current-context names no context"))?;
    let cluster = find(&file.clusters, &context.context.cluster);
    let cluster = &cluster.ok_or(ConfigError::Lacking("the context names no cluster"))?.cluster;
    let nobody = Named::default();
    let user = &find(&file.users, &context.context.user).unwrap_or(&nobody).user;
    let tls = if cluster.server.starts_with("http://") { None } else { Some(Arc::new(config(path, cluster, user)?)) };
    let server = Server::at(&cluster.server, tls).ok_or(ConfigError::Lacking("the cluster's server is no URL"))?;
    Ok(Server { token: user.token.clone(), ..server })
}

fn config(file: &Path, cluster: &Cluster, user: &User) -> Result<rustls::ClientConfig, ConfigError> {
    let part = |data: &Option<String>, path: &Option<PathBuf>| match (data, path) {
        (Some(data), _) => Ok(Some(STANDARD.decode(data)?)),
        (None, Some(path)) => bytes(&file.with_file_name(path)).map(Some),
        (None, None) => Ok(None),
    };
    let ca = part(&cluster.certificate_authority_data, &cluster.certificate_authority)?;
    let ca = ca.map_or_else(|| bytes(HOST_ROOTS.as_ref()), Ok)?;
    let roots = tls::roots_from_pem(&ca, file)?;
    let certificate = part(&user.client_certificate_data, &user.client_certificate)?;
    match (certificate, part(&user.client_key_data, &user.client_key)?) {
        (Some(cert), Some(key)) => Ok(tls::client_with(roots, &KeyPair { cert, key }, &[b"http/1.1"])?),
        _ => Ok(tls::client(roots, None, &[b"http/1.1"])),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    Ok(file::bytes(path)?)
}

fn find<'a>(all: &'a [Named], name: &str) -> Option<&'a Named> {
    all.iter().find(|each| each.name == name)
}
