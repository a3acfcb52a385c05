//! [`Selected`]: one context of a kubeconfig with its parts found, and what of it cannot be used.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Cluster, ConfigError, User};
use crate::config::identity::{Material, Named};

/// A context with its parts found.
pub(crate) struct Selected<'a> {
    pub(crate) path: PathBuf,
    /// Whether context, cluster and user stand in that file.
    pub(crate) in_one_file: bool,
    pub(crate) field: String,
    pub(crate) cluster: &'a Cluster,
    pub(crate) user: &'a User,
    pub(crate) namespace: &'a str,
}

// === impl Selected ===

impl Selected<'_> {
    /// Whom to trust and what to show.
    pub(crate) fn certificates(&self) -> Result<Named, ConfigError> {
        Ok(Named { authority: self.authority()?, pair: self.key_pair()? })
    }

    /// The CAs to trust.
    pub(crate) fn authority(&self) -> Result<Material, ConfigError> {
        let Cluster { certificate_authority: file, certificate_authority_data: data, .. } = self.cluster;
        self.material("certificate-authority", data.as_deref(), file.as_deref())?.ok_or_else(|| {
            field(&self.path, &self.field, "has neither certificate-authority nor certificate-authority-data")
        })
    }

    /// The client certificate and its key.
    pub(crate) fn key_pair(&self) -> Result<Option<(Material, Material)>, ConfigError> {
        let user = self.user;
        let cert = self.material(
            "client-certificate",
            user.client_certificate_data.as_deref(),
            user.client_certificate.as_deref(),
        )?;
        let key = self.material("client-key", user.client_key_data.as_deref(), user.client_key.as_deref())?;
        match (cert, key) {
            (Some(cert), Some(key)) => Ok(Some((cert, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(field(&self.path, "client-key", "is missing, though client-certificate is there")),
            (None, Some(_)) => Err(field(&self.path, "client-certificate", "is missing, though client-key is there")),
        }
    }

    fn material(&self, name: &str, data: Option<&str>, file: Option<&Path>) -> Result<Option<Material>, ConfigError> {
        match (data.filter(|d| !d.is_empty()), file) {
            (Some(data), _) => STANDARD
                .decode(data.split_whitespace().collect::<String>())
                .map(|bytes| Some(Material::Data(bytes)))
                .map_err(|e| field(&self.path, &format!("{name}-data"), &format!("is not base64: {e}"))),
            (None, Some(file)) => Ok(Some(Material::File(beside(&self.path, file)))),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn refuse_unsupported(&self, path: &Path, user: &str) -> Result<(), ConfigError> {
        let refused = [
            (
                self.user.exec.is_some(),
                format!("{user}.exec"),
                "credential plugins are not supported; use a token, a tokenFile or a client certificate",
            ),
            (
                self.user.auth_provider.is_some(),
                format!("{user}.auth-provider"),
                "is not supported; use a token, a tokenFile or a client certificate",
            ),
            (
                self.user.username.is_some(),
                format!("{user}.username"),
                "basic authentication is not supported; use a token or a client certificate",
            ),
            (
                self.cluster.insecure_skip_tls_verify,
                format!("{}.insecure-skip-tls-verify", self.field),
                "is not supported; give the CA in certificate-authority-data",
            ),
            (self.cluster.proxy_url.is_some(), format!("{}.proxy-url", self.field), "is not supported"),
            (self.cluster.server.is_empty(), format!("{}.server", self.field), "is missing; write https://HOST:PORT"),
        ];
        match refused.iter().find(|(present, ..)| *present) {
            Some((_, name, why)) => Err(field(path, name, why)),
            None => Ok(()),
        }
    }
}

/// A path as it is meant in a file: relative to that file.
pub(crate) fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

pub(super) fn field(path: &Path, field: &str, why: &str) -> ConfigError {
    ConfigError::Field { path: path.into(), field: field.into(), why: why.into() }
}
