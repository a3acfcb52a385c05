//! Webhooks as their configurations describe them; both kinds have the same fields.

use nakhoda_api::kinds::meta::LabelSelector;
use serde::Deserialize;

use crate::webhooks::{self, Place, Webhook};

/// A configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// In the order in which they are asked.
    pub webhooks: Vec<Hook>,
}

/// A webhook.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hook {
    /// As refusals tell it.
    pub name: String,
    /// What tells it from all others.
    #[serde(skip)]
    pub key: String,
    /// The name of the configuration that it stands in.
    #[serde(skip)]
    pub configuration: String,
    /// Where it is.
    pub client_config: Client,
    /// What it is asked about.
    pub rules: Vec<Rule>,
    /// `Fail` or `Ignore`.
    pub failure_policy: String,
    /// Of the namespace.
    pub namespace_selector: Option<LabelSelector>,
    /// Of the object, new or old.
    pub object_selector: Option<LabelSelector>,
    /// What it does beside answering.
    pub side_effects: String,
    /// How long it may take.
    pub timeout_seconds: Option<u64>,
    /// Versions of the review that it reads.
    pub admission_review_versions: Vec<String>,
    /// What must hold besides, in CEL.
    pub match_conditions: Vec<Condition>,
    /// Whether its rules mean other versions of the resources, too: `Equivalent` or `Exact`.
    pub match_policy: String,
    /// Whether it is asked again if others change the object: `Never` or `IfNeeded`.
    pub reinvocation_policy: String,
}

/// Where a webhook is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Client {
    url: Option<String>,
    service: Option<Service>,
    ca_bundle: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Service {
    namespace: String,
    name: String,
    path: Option<String>,
    port: Option<u16>,
}

/// What a webhook is asked about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// `CREATE` and so on, or `*`.
    pub operations: Vec<String>,
    /// Or `*`.
    pub api_groups: Vec<String>,
    /// Or `*`.
    pub api_versions: Vec<String>,
    /// `pods`, `pods/status`, `pods/*`, `*`, `*/*`.
    pub resources: Vec<String>,
    /// `Cluster`, `Namespaced` or `*`.
    pub scope: Option<String>,
    /// Of the object; none: any. Webhooks have none.
    pub resource_names: Vec<String>,
}

/// A condition in CEL.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// As failures tell it.
    pub name: String,
    /// The expression.
    pub expression: String,
}

// === impl Configuration ===

impl Configuration {
    /// The webhooks, each with its key, of a configuration with this uid and name.
    pub fn named(self, uid: &str, name: &str) -> impl Iterator<Item = Hook> {
        let keyed = move |(index, hook): (usize, Hook)| Hook {
            key: format!("{uid}/{}/{index}", hook.name),
            configuration: name.to_owned(),
            ..hook
        };
        self.webhooks.into_iter().enumerate().map(keyed)
    }
}

// === impl Client ===

impl Client {
    /// How to get there.
    #[must_use]
    pub fn webhook(&self) -> Option<Webhook> {
        let place = match (&self.url, &self.service) {
            (Some(url), _) => Place::Url(url.clone()),
            (None, Some(service)) => Place::Service {
                namespace: service.namespace.clone(),
                name: service.name.clone(),
                port: service.port.unwrap_or(443),
                path: service.path.clone().unwrap_or_default(),
            },
            (None, None) => return None,
        };
        Some(Webhook { place, bundle: webhooks::bundle(&self.ca_bundle) })
    }
}
