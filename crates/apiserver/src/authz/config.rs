//! The file of `--authorization-config` (`apiserver.config.k8s.io`, `AuthorizationConfiguration`): which authorizers
//! are asked, in which order. Checked in upstream's words. The old flags are the same structure.
//!
//! Not to be had: AlwaysAllow and ABAC, which are refused by name: nothing turns authorization off.

pub mod check;
pub mod flags;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use nakhoda_api::field::Errors;
use nakhoda_daemon::file::Unreadable;
use serde::{Deserialize, Deserializer};

use super::node::NodeAuthorizer;
use super::rbac::Rbac;
use super::webhook::{Settings, Webhook};
use super::{AlwaysDeny, Authorizer, Masters};
use crate::remote::Server;

/// The versions of the file that are read; they do not differ.
const VERSIONS: [&str; 3] =
    ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1", "apiserver.config.k8s.io/v1alpha1"];

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// The version.
    pub api_version: String,
    /// `AuthorizationConfiguration`.
    pub kind: String,
    /// Who is asked, in this order.
    #[serde(default)]
    pub authorizers: Vec<One>,
}

/// One authorizer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct One {
    /// `Node`, `RBAC`, `Webhook` or `AlwaysDeny`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name; of all but webhooks the type in lower case.
    pub name: String,
    /// How it is asked, if it is a webhook.
    pub webhook: Option<Hook>,
}

/// How a webhook is asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Hook {
    /// How long a yes is good.
    #[serde(rename = "authorizedTTL", deserialize_with = "duration")]
    pub authorized_ttl: SignedDuration,
    /// Whether a yes is kept.
    pub cache_authorized_requests: bool,
    /// How long another answer is good.
    #[serde(rename = "unauthorizedTTL", deserialize_with = "duration")]
    pub unauthorized_ttl: SignedDuration,
    /// Whether another answer is kept.
    pub cache_unauthorized_requests: bool,
    /// How long one try may take.
    #[serde(deserialize_with = "duration")]
    pub timeout: SignedDuration,
    /// `v1` or `v1beta1`.
    pub subject_access_review_version: String,
    /// `v1`.
    pub match_condition_subject_access_review_version: String,
    /// `NoOpinion` or `Deny`.
    pub failure_policy: String,
    /// Where it is.
    pub connection_info: Connection,
    /// Which questions it is asked.
    pub match_conditions: Vec<Condition>,
}

/// Where a webhook is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Connection {
    /// `KubeConfigFile`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The file.
    pub kube_config_file: Option<PathBuf>,
}

/// Which questions a webhook is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// A condition over `request`.
    pub expression: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
    /// It is not YAML of this kind.
    #[error("failed to load AuthorizationConfiguration from file")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// It is another kind of file.
    #[error("no kind \"{kind}\" is registered for version \"{api_version}\"")]
    Kind {
        /// As the file says it.
        api_version: String,
        /// As the file says it.
        kind: String,
    },
    /// Its values are wrong, each where and how.
    #[error("{0}")]
    Invalid(Errors),
    /// An authorizer must have another name.
    #[error("expected name {expected} for authorizer {kind} instead of {name}")]
    Name {
        /// What it should be.
        expected: String,
        /// Its type.
        kind: String,
        /// What it is.
        name: String,
    },
    /// An authorizer is gone that was there at the start.
    #[error("missing required types: [{}]", .0.join(" "))]
    Missing(Vec<String>),
    /// A mode that is not known, or that would turn authorization off.
    #[error("authorization-mode {0:?} is not a valid mode")]
    Mode(String),
    /// Flags that do not go together.
    #[error("{0}")]
    Flags(&'static str),
    /// A webhook's kubeconfig.
    #[error("the kubeconfig of authorizer {name} cannot be used")]
    Kubeconfig {
        /// Whose.
        name: String,
        /// Why not.
        #[source]
        source: crate::remote::ConfigError,
    },
}

// === impl Configuration ===

impl Configuration {
    /// Reads the text of a file; its values are not checked yet.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        let file: Self = serde_saphyr::from_slice(text).map_err(|error| ConfigError::Syntax(Box::new(error)))?;
        if !VERSIONS.contains(&file.api_version.as_str()) || file.kind != "AuthorizationConfiguration" {
            return Err(ConfigError::Kind { api_version: file.api_version, kind: file.kind });
        }
        Ok(file)
    }

    /// The types that must stay when the file changes: what is not a webhook cannot be lost by a slip.
    #[must_use]
    pub fn lasting(&self) -> Vec<String> {
        let lasting = self.authorizers.iter().filter(|one| one.kind != "Webhook");
        lasting.map(|one| one.kind.clone()).collect()
    }

    /// The authorizers, in order, if the configuration holds.
    pub fn authorizers(
        &self,
        required: &[String],
        node: &NodeAuthorizer,
        rbac: &Rbac,
    ) -> Result<Vec<Arc<dyn Authorizer>>, ConfigError> {
        let conditions = check::check(self).map_err(ConfigError::Invalid)?;
        let mut chain: Vec<Arc<dyn Authorizer>> = vec![Arc::new(Masters)];
        for (one, conditions) in self.authorizers.iter().zip(conditions) {
            let expected = one.kind.to_lowercase();
            if one.webhook.is_none() && one.name != expected {
                return Err(ConfigError::Name { expected, kind: one.kind.clone(), name: one.name.clone() });
            }
            chain.push(match (one.kind.as_str(), &one.webhook) {
                ("Node", _) => Arc::new(node.clone()),
                ("RBAC", _) => Arc::new(rbac.clone()),
                (_, Some(hook)) => Arc::new(hook.open(&one.name, conditions)?),
                _ => Arc::new(AlwaysDeny),
            });
        }
        let kept = self.lasting();
        let missing: Vec<_> = required.iter().filter(|kind| !kept.contains(kind)).cloned().collect();
        if missing.is_empty() { Ok(chain) } else { Err(ConfigError::Missing(missing)) }
    }
}

// === impl Hook ===

impl Hook {
    fn open(&self, name: &str, conditions: Vec<nakhoda_api::cel::Program>) -> Result<Webhook, ConfigError> {
        let path = self.connection_info.kube_config_file.clone().unwrap_or_default();
        let server = Server::from_kubeconfig(&path)
            .map_err(|source| ConfigError::Kubeconfig { name: name.to_owned(), source })?;
        let kept = |kept: bool, time: SignedDuration| if kept { time.unsigned_abs() } else { Duration::ZERO };
        let settings = Settings {
            authorized: kept(self.cache_authorized_requests, self.authorized_ttl),
            unauthorized: kept(self.cache_unauthorized_requests, self.unauthorized_ttl),
            timeout: self.timeout.unsigned_abs(),
            beta: self.subject_access_review_version == "v1beta1",
            denies_on_failure: self.failure_policy == "Deny",
        };
        Ok(Webhook::new(name.to_owned(), server, conditions, settings))
    }
}

impl Default for Hook {
    fn default() -> Self {
        Self {
            authorized_ttl: SignedDuration::from_mins(5),
            cache_authorized_requests: true,
            unauthorized_ttl: SignedDuration::from_secs(30),
            cache_unauthorized_requests: true,
            timeout: SignedDuration::ZERO,
            subject_access_review_version: String::new(),
            match_condition_subject_access_review_version: String::new(),
            failure_policy: String::new(),
            connection_info: Connection::default(),
            match_conditions: Vec::new(),
        }
    }
}

/// A span as Go writes it: `5m`, `1m30s`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "0" {
        return Ok(SignedDuration::ZERO);
    }
    text.parse().map_err(|_| serde::de::Error::custom(format!("time: invalid duration {text:?}")))
}
