//! The policy file: `audit.k8s.io/v1` `Policy`. The first rule that matches a request decides how much is told of it.

use std::path::Path as FilePath;

use nakhoda_api::field::{Errors, Path};
use serde::{Deserialize, Serialize};

use crate::request::Target;
use crate::user::User;

mod rule;

use rule::Rule;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// Who, what, when, and the outcome.
    Metadata,
    /// The body of the request, too.
    Request,
    /// The body of the response, too.
    RequestResponse,
}

/// When an event is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// Before anything was decided, once the caller is known.
    RequestReceived,
    /// When a stream begins.
    ResponseStarted,
    /// When all was sent.
    ResponseComplete,
    /// When the server failed.
    Panic,
}

/// A policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    api_version: String,
    kind: String,
    #[serde(default)]
    #[allow(dead_code, reason = "a policy may have a name, which says nothing")]
    metadata: serde_json::Value,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    omit_stages: Vec<String>,
    #[serde(default)]
    omit_managed_fields: bool,
}

/// What the policy says of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How much is told.
    pub level: Level,
    /// Whether `metadata.managedFields` are left out of bodies.
    pub omit_managed_fields: bool,
    omitted: Vec<String>,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("failed to read file path {path:?}")]
    Read {
        /// Which file.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is not YAML of this kind.
    #[error("failed decoding")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// It is another kind of file.
    #[error("unknown group version field {api_version}, Kind={kind} in policy")]
    Kind {
        /// As the file says it.
        api_version: String,
        /// As the file says it.
        kind: String,
    },
    /// Its values are wrong, each where and how.
    #[error("{}", .0.iter().map(|error| format!("{}: {}", error.path, error.body())).collect::<Vec<_>>().join(", "))]
    Invalid(Errors),
    /// It says nothing.
    #[error("loaded illegal policy with 0 rules")]
    Empty,
}

const STAGES: [&str; 4] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

// === impl Policy ===

impl Policy {
    /// That of a file.
    pub fn read(path: &FilePath) -> Result<Self, PolicyError> {
        let text = std::fs::read(path).map_err(|source| PolicyError::Read { path: path.into(), source })?;
        Self::parse(&text)
    }

    /// That of a text.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let policy: Self = serde_saphyr::from_slice(text).map_err(|error| PolicyError::Syntax(Box::new(error)))?;
        if policy.api_version != "audit.k8s.io/v1" || policy.kind != "Policy" {
            return Err(PolicyError::Kind { api_version: policy.api_version, kind: policy.kind });
        }
        let mut errors = Errors::default();
        stages(&policy.omit_stages, &Path::new("omitStages"), &mut errors);
        for (index, rule) in policy.rules.iter().enumerate() {
            rule.check(&Path::new("rules").index(index), &mut errors);
        }
        match (errors.is_empty(), policy.rules.is_empty()) {
            (false, _) => Err(PolicyError::Invalid(errors)),
            (true, true) => Err(PolicyError::Empty),
            (true, false) => Ok(policy),
        }
    }

    /// How much is told of a request.
    #[must_use]
    pub fn told(&self, user: &User, verb: &str, target: &Target) -> Told {
        let Some(rule) = self.rules.iter().find(|rule| rule.matches(user, verb, target)) else {
            return Told::default();
        };
        Told {
            level: rule.level(),
            omit_managed_fields: rule.omit_managed_fields.unwrap_or(self.omit_managed_fields),
            omitted: rule.omit_stages.iter().chain(&self.omit_stages).cloned().collect(),
        }
    }
}

// === impl Told ===

impl Told {
    /// Whether this stage is told.
    #[must_use]
    pub fn tells(&self, stage: Stage) -> bool {
        let name = STAGES[stage as usize];
        self.level > Level::None && !self.omitted.iter().any(|omitted| omitted == name)
    }
}

fn stages(given: &[String], at: &Path, errors: &mut Errors) {
    for (index, stage) in given.iter().enumerate().filter(|(_, stage)| !STAGES.contains(&stage.as_str())) {
        let why = format!("allowed stages are {}", STAGES.join(","));
        errors.invalid(&at.index(index), stage.as_str(), why);
    }
}
