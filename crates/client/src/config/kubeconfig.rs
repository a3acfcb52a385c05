//! The kubeconfig file, `v1` `Config`, as far as it says how to reach a server.
//!
//! Relative paths count from the file they stand in. Of several files the first to define a name, or
//! the current context, wins.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nakhoda_daemon::file;
use serde::Deserialize;

use super::ConfigError;

mod selected;

use selected::field;
pub(crate) use selected::{Selected, beside};

/// One kubeconfig, or several merged.
#[derive(Clone, Debug, Default)]
pub struct Kubeconfig {
    /// The context used when none is named.
    pub current_context: String,
    /// Servers by name.
    pub clusters: Vec<Entry<Cluster>>,
    /// Credentials by name.
    pub users: Vec<Entry<User>>,
    /// Pairs of them by name.
    pub contexts: Vec<Entry<Context>>,
    path: PathBuf,
}

/// A named part, and the file it came from.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What it says.
    pub value: T,
}

/// A server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Cluster {
    /// `https://HOST:PORT`; our own daemons take several, separated by commas.
    pub server: String,
    /// File with the CAs to trust.
    pub certificate_authority: Option<PathBuf>,
    /// The same, in place, base64.
    pub certificate_authority_data: Option<String>,
    /// The name that the server's certificate must carry instead of the host.
    pub tls_server_name: Option<String>,
    /// Refused.
    pub insecure_skip_tls_verify: bool,
    /// Refused.
    pub proxy_url: Option<String>,
}

/// Credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct User {
    /// File with the certificate chain.
    pub client_certificate: Option<PathBuf>,
    /// The same, in place, base64.
    pub client_certificate_data: Option<String>,
    /// File with the private key.
    pub client_key: Option<PathBuf>,
    /// The same, in place, base64.
    pub client_key_data: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
    /// File with a bearer token, which wins over `token`.
    #[serde(rename = "tokenFile")]
    pub token_file: Option<PathBuf>,
    /// Refused.
    pub username: Option<String>,
    /// Refused.
    pub exec: Option<serde::de::IgnoredAny>,
    /// Refused.
    pub auth_provider: Option<serde::de::IgnoredAny>,
}

/// A cluster, a user and a namespace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Context {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the user.
    pub user: String,
    /// Namespace of requests that name none.
    pub namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct File {
    current_context: Option<String>,
    clusters: Option<Vec<NamedCluster>>,
    users: Option<Vec<NamedUser>>,
    contexts: Option<Vec<NamedContext>>,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    #[serde(default)]
    user: User,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

// === impl Kubeconfig ===

impl Kubeconfig {
    /// Reads one file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = file::text(path)?;
        Self::parse(&text, path)
    }

    /// Reads `KUBECONFIG` (several files, separated by colons), else `~/.kube/config`.
    pub fn find() -> Result<Self, ConfigError> {
        let home = || std::env::home_dir().map(|home| home.join(".kube/config").into_os_string());
        let paths: OsString =
            std::env::var_os("KUBECONFIG").filter(|v| !v.is_empty()).or_else(home).ok_or(ConfigError::None)?;
        let mut found = std::env::split_paths(&paths).filter(|path| path.exists());
        let mut merged = Self::read(&found.next().ok_or(ConfigError::None)?)?;
        for path in found {
            merged.merge(Self::read(&path)?);
        }
        Ok(merged)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let file: File = serde_saphyr::from_str(text)
            .map_err(|source| ConfigError::Yaml { path: path.into(), source: Box::new(source) })?;
        let entry = |name| (name, path.to_path_buf());
        Ok(Self {
            current_context: file.current_context.unwrap_or_default(),
            clusters: file.clusters.into_iter().flatten().map(|c| Entry::new(entry(c.name), c.cluster)).collect(),
            users: file.users.into_iter().flatten().map(|u| Entry::new(entry(u.name), u.user)).collect(),
            contexts: file.contexts.into_iter().flatten().map(|c| Entry::new(entry(c.name), c.context)).collect(),
            path: path.into(),
        })
    }

    /// Adds what another file says and this one does not.
    pub fn merge(&mut self, other: Self) {
        if self.current_context.is_empty() {
            self.current_context = other.current_context;
        }
        add(&mut self.clusters, other.clusters);
        add(&mut self.users, other.users);
        add(&mut self.contexts, other.contexts);
    }

    pub(crate) fn select(&self, name: Option<&str>) -> Result<Selected<'_>, ConfigError> {
        let name = name.unwrap_or(&self.current_context);
        if name.is_empty() {
            let why = "is not set; set it, or name a context";
            return Err(field(&self.path, "current-context", why));
        }
        let context = named(&self.contexts, "contexts", name, &self.path)?;
        let cluster = named(&self.clusters, "clusters", &context.value.cluster, &context.path)?;
        let user = match context.value.user.as_str() {
            "" => return Err(field(&context.path, &format!("contexts[{name}].user"), "is not set")),
            user => named(&self.users, "users", user, &context.path)?,
        };
        let selected = Selected {
            path: cluster.path.clone(),
            in_one_file: cluster.path == user.path && context.path == user.path,
            field: format!("clusters[{}].cluster", cluster.name),
            cluster: &cluster.value,
            user: &user.value,
            namespace: &context.value.namespace,
        };
        selected.refuse_unsupported(&user.path, &format!("users[{}].user", user.name))?;
        Ok(selected)
    }
}

// === impl Entry ===

impl<T> Entry<T> {
    fn new((name, path): (String, PathBuf), value: T) -> Self {
        Self { name, path, value }
    }
}

fn add<T>(into: &mut Vec<Entry<T>>, from: Vec<Entry<T>>) {
    for entry in from {
        if !into.iter().any(|known| known.name == entry.name) {
            into.push(entry);
        }
    }
}

fn named<'a, T>(entries: &'a [Entry<T>], list: &str, name: &str, path: &Path) -> Result<&'a Entry<T>, ConfigError> {
    entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known: Vec<_> = entries.iter().map(|e| e.name.as_str()).collect();
        let known = if known.is_empty() { "there are none".into() } else { format!("there are {}", known.join(", ")) };
        field(path, list, &format!("no entry is named {name:?}; {known}"))
    })
}

#[cfg(test)]
mod tests;
