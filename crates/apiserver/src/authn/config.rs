//! The file of `--authentication-config` (`apiserver.config.k8s.io`, `AuthenticationConfiguration`): which issuers'
//! tokens are believed and how their claims become a user, and who may come without credentials. Checked in
//! upstream's words; a field that is not known is refused. The old `--oidc-*` flags are the same structure.
//!
//! Absent: egress selectors, which are refused by name.

pub mod check;
pub mod flags;

use nakhoda_daemon::file::Unreadable;
use serde::Deserialize;

use nakhoda_api::field::Errors;

/// The versions of the file that are read; they do not differ.
const VERSIONS: [&str; 3] =
    ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1", "apiserver.config.k8s.io/v1alpha1"];

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// The version.
    pub api_version: String,
    /// `AuthenticationConfiguration`.
    pub kind: String,
    /// Whose tokens are believed.
    #[serde(default)]
    pub jwt: Vec<Authenticator>,
    /// Who may come without credentials; as the flag says it if absent.
    #[serde(default)]
    pub anonymous: Option<Anonymous>,
}

/// Callers without credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anonymous {
    /// Whether they are let in.
    #[serde(default)]
    pub enabled: bool,
    /// Where to; everywhere if empty.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

/// Where callers without credentials may go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A whole path.
    pub path: String,
}

/// An issuer, and what is made of its claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authenticator {
    /// Who signs.
    #[serde(default)]
    pub issuer: Issuer,
    /// What must be so of the claims.
    #[serde(default)]
    pub claim_validation_rules: Vec<ClaimRule>,
    /// How claims become a user.
    #[serde(default)]
    pub claim_mappings: Mappings,
    /// What must be so of the user.
    #[serde(default)]
    pub user_validation_rules: Vec<UserRule>,
}

/// Who signs tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Issuer {
    /// `iss`.
    pub url: String,
    /// Where its discovery document is, if not below the URL.
    #[serde(rename = "discoveryURL")]
    pub discovery_url: String,
    /// Whom to trust there, in PEM; the host's if empty.
    pub certificate_authority: String,
    /// `aud` must be one of these.
    pub audiences: Vec<String>,
    /// `MatchAny`.
    pub audience_match_policy: String,
    /// Which way to the issuer.
    pub egress_selector_type: String,
}

/// What must be so of a claim, or by an expression of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClaimRule {
    /// Which claim.
    pub claim: String,
    /// Its value.
    pub required_value: String,
    /// A condition over `claims`.
    pub expression: String,
    /// What is told if it is not so.
    pub message: String,
}

/// How claims become a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mappings {
    /// The name.
    pub username: Mapping,
    /// The groups.
    pub groups: Mapping,
    /// The uid.
    pub uid: Mapping,
    /// Further facts.
    pub extra: Vec<Extra>,
}

/// A claim or an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Which claim.
    pub claim: String,
    /// What is put before it.
    pub prefix: Option<String>,
    /// An expression over `claims`.
    pub expression: String,
}

/// A further fact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Extra {
    /// Its key.
    pub key: String,
    /// An expression over `claims`.
    pub value_expression: String,
}

/// What must be so of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserRule {
    /// A condition over `user`.
    pub expression: String,
    /// What is told if it is not so.
    pub message: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is nothing in it.
    #[error("empty config data")]
    Empty,
    /// It is not YAML of this kind.
    #[error("strict decoding error")]
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
    #[error("invalid authentication configuration: {0}")]
    Invalid(Errors),
    /// An algorithm that is not known.
    #[error("oidc: unsupported signing alg: \"{0}\"")]
    Algorithm(String),
    /// The certificates of an issuer.
    #[error("the certificates of an issuer cannot be used")]
    Tls(#[from] nakhoda_daemon::tls::TlsError),
    /// Flags that belong together.
    #[error("oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set")]
    Flags,
    /// Two places say the same.
    #[error("authentication-config file and oidc-* flags are mutually exclusive")]
    Both,
    /// Two places say who may come without credentials.
    #[error(
        "anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file"
    )]
    Anonymous,
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
}

// === impl Configuration ===

impl Configuration {
    /// Reads the text of a file; its values are not checked yet.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        if text.is_empty() {
            return Err(ConfigError::Empty);
        }
        let file: Self = serde_saphyr::from_slice(text).map_err(|error| ConfigError::Syntax(Box::new(error)))?;
        if !VERSIONS.contains(&file.api_version.as_str()) || file.kind != "AuthenticationConfiguration" {
            return Err(ConfigError::Kind { api_version: file.api_version, kind: file.kind });
        }
        Ok(file)
    }
}

// === impl Anonymous ===

impl From<&Anonymous> for super::Anonymous {
    fn from(given: &Anonymous) -> Self {
        Self { enabled: given.enabled, paths: given.conditions.iter().map(|one| one.path.clone()).collect() }
    }
}
