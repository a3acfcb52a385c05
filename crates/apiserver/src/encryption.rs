//! Encryption at rest, as upstream's `EncryptionConfiguration` has it: which resources are encrypted, by which
//! providers, with which keys. The first key of the first provider writes, all of them read.
//!
//! A value carries upstream's prefix (`k8s:enc:PROVIDER:v1:KEY:`), so either server reads what the other wrote.
//! What was read by any but the first key is stale, and the next write of the object, also one that changes nothing,
//! stores it anew. The file is read again when it changes; a file that makes no sense leaves the old keys in use.
//! Absent: the kms provider, which is refused by name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use nakhoda_api::GroupResource;
use nakhoda_daemon::Tasks;

pub mod chain;
pub mod cipher;
pub mod config;

pub use chain::{Chain, Unreadable};
pub use config::ConfigError;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(5);

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
        let mut text = read(&path)?;
        let encryption = Self::new(Rules::parse(&text)?);
        let (changed, receiver) = tokio::sync::watch::channel(());
        let rules = encryption.rules.clone();
        tasks.spawn("encryption configuration", async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Ok(now) = read(&path).inspect_err(kept) else { continue };
                if now == text {
                    continue;
                }
                text = now;
                let Ok(new) = Rules::parse(&text).inspect_err(kept) else { continue };
                rules.store(Arc::new(new));
                changed.send_replace(());
                tracing::info!(file = %path.display(), "encryption configuration reloaded");
            }
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

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|source| ConfigError::Read { path: path.into(), source })
}

fn kept(error: &ConfigError) {
    tracing::error!(error = %nakhoda_api::status::chain(error), "the encryption configuration makes no sense, the old one stays");
}

#[cfg(test)]
mod tests;
