//! Encryption at rest, as upstream's `EncryptionConfiguration` has it: which resources are encrypted, by which
//! providers, with which keys. The first key of the first provider writes, all of them read.
//!
//! A value carries upstream's prefix (`k8s:enc:PROVIDER:v1:KEY:`), so either server reads what the other wrote.
//! What was read by any but the first key is stale, and the next write of the object, also one that changes nothing,
//! stores it anew. The file is read again when it changes; a file that makes no sense leaves the old keys in use.
//! Absent: the kms provider, which is refused by name.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use nakhoda_api::GroupResource;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::file;

pub mod chain;
pub mod cipher;
pub mod config;

pub use chain::{Chain, Unreadable};
pub use config::ConfigError;

use crate::reload::{self, Kept};

/// Who encrypts what; changes with its file. Cheap to clone.
#[derive(Clone, Default)]
pub struct Encryption {
    rules: Arc<ArcSwap<Rules>>,
}

/// The providers of each resource that the configuration names.
#[derive(Default)]
pub struct Rules(HashMap<GroupResource, Chain>);

// === impl Rules ===

impl Rules {
    /// Those of a configuration.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        config::parse(text).map(Self)
    }

    /// What is so for a resource: by its name, else by its group, else for all.
    fn chain(&self, resource: &GroupResource) -> Option<&Chain> {
        let any = |group: &str| GroupResource { group: group.into(), resource: "*".into() };
        let rules = &self.0;
        rules.get(resource).or_else(|| rules.get(&any(&resource.group))).or_else(|| rules.get(&any("*")))
    }
}

// === impl Encryption ===

impl Encryption {
    /// By fixed rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules: Arc::new(ArcSwap::from_pointee(rules)) }
    }

    /// By a file, read again whenever it changes; `changed` is called then.
    pub fn follow(path: PathBuf, tasks: &Tasks) -> Result<(Self, tokio::sync::watch::Receiver<()>), ConfigError> {
        let text = file::bytes(&path)?;
        let encryption = Self::new(Rules::parse(&text)?);
        let (changed, receiver) = tokio::sync::watch::channel(());
        let rules = encryption.rules.clone();
        reload::follow("encryption configuration", path, text, tasks, move |text| {
            let kept = |error| Kept { why: nakhoda_api::status::chain(&error), again: false };
            let outcome = Rules::parse(&text).map_err(kept).map(|new| {
                rules.store(Arc::new(new));
                changed.send_replace(());
            });
            std::future::ready(outcome)
        });
        Ok((encryption, receiver))
    }

    /// What to store for a value.
    pub fn seal(&self, resource: &GroupResource, key: &[u8], value: &Bytes) -> Result<Bytes, cipher::Fault> {
        match self.rules.load().chain(resource) {
            Some(chain) => chain.seal(key, value),
            None => Ok(value.clone()),
        }
    }

    /// The value of what is stored, and whether it would be stored otherwise now.
    pub fn open(&self, resource: &GroupResource, key: &[u8], stored: Bytes) -> Result<(Bytes, bool), Unreadable> {
        match self.rules.load().chain(resource) {
            Some(chain) => chain.open(key, stored),
            None => chain::plain(stored).map(|value| (value, false)),
        }
    }
}

#[cfg(test)]
mod tests;
