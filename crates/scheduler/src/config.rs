//! [`Config`]: what a configuration file says (`--config`), checked and with upstream's defaults.
//!
//! Absent: extenders, which are refused; profiling and limits of requests per second, which are not applied.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::wire::{self, DecodeError};
use nakhoda_client::Key;
use nakhoda_client::leader::Settings;
use serde_json::Value;

use crate::framework::Framework;
use crate::pod::PodInfo;

mod file;
mod profile;

use file::File;

const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
const KIND: &str = "KubeSchedulerConfiguration";
const DEFAULT_NAME: &str = "default-scheduler";

/// How the scheduler works.
pub struct Config {
    /// By scheduler name; at least one.
    pub profiles: Profiles,
    /// How long a pod that failed waits: at first, and at most.
    pub backoff: (Duration, Duration),
    /// Which Lease makes the leader, and its times; `None`: this process leads without asking.
    pub election: Option<(Key, Settings)>,
    /// How to reach the API server, if the command line does not say.
    pub kubeconfig: Option<PathBuf>,
}

/// Frameworks by the scheduler name that pods bear. Cheap to clone.
#[derive(Clone)]
pub struct Profiles(Arc<[(String, Arc<Framework>)]>);

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no YAML.
    #[error("not YAML")]
    Yaml(#[source] DecodeError),
    /// A field is there twice.
    #[error("strict decoding error: {0}")]
    Duplicate(String),
    /// It has not the form of a configuration; names the field.
    #[error("strict decoding error: {0}")]
    Shape(#[source] serde_json::Error),
    /// It is something else.
    #[error("no kind \"{kind}\" is registered for version \"{version}\": {KIND} of {API_VERSION} is needed")]
    Kind {
        /// What it says it is.
        kind: String,
        /// In which version.
        version: String,
    },
    /// It has the form, but says what cannot be.
    #[error("{0}")]
    Invalid(Errors),
}

// === impl Config ===

impl Config {
    /// One profile of this name, all else as by default.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            profiles: Profiles(Arc::new([(name.to_owned(), Arc::new(Framework::new()))])),
            backoff: (Duration::from_secs(1), Duration::from_secs(10)),
            election: Some((Key::new("kube-system", "kube-scheduler"), Settings::default())),
            kubeconfig: None,
        }
    }

    /// Reads a file.
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigError> {
        let (value, duplicate) = wire::read_yaml(bytes).map_err(ConfigError::Yaml)?;
        if let Some(fault) = duplicate {
            return Err(ConfigError::Duplicate(fault));
        }
        let said = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, kind) = (said("apiVersion"), said("kind"));
        if version != API_VERSION || kind != KIND {
            return Err(ConfigError::Kind { kind, version });
        }
        let file: File = serde_json::from_value(value).map_err(ConfigError::Shape)?;
        let mut errors = Errors::default();
        let config = Self::of(&file, &mut errors);
        if errors.is_empty() { Ok(config) } else { Err(ConfigError::Invalid(errors)) }
    }

    fn of(file: &File, errors: &mut Errors) -> Self {
        if file.parallelism.is_some_and(|number| number <= 0) {
            let why = "should be an integer value greater than zero";
            errors.invalid(&Path::new("parallelism"), file.parallelism, why);
        }
        if !file.extenders.is_empty() {
            errors.forbidden(&Path::new("extenders"), "extenders are not supported");
        }
        if file.client_connection.qps.is_some() || file.client_connection.burst.is_some() {
            tracing::warn!(
                "clientConnection.qps and burst are not applied: what is bounded is how many writes are under way"
            );
        }
        if let Some(burst) = file.client_connection.burst.filter(|burst| *burst < 0) {
            errors.invalid(&Path::new("clientConnection.burst"), burst, "must be non-negative");
        }
        Self {
            profiles: profiles(file, errors),
            backoff: backoff(file, errors),
            election: election(&file.leader_election, errors),
            kubeconfig: file.client_connection.kubeconfig.as_ref().filter(|path| !path.is_empty()).map(PathBuf::from),
        }
    }
}

// === impl Profiles ===

impl Profiles {
    /// The framework for a pod; `None` if another scheduler is responsible for it.
    #[must_use]
    pub fn of(&self, pod: &PodInfo) -> Option<&Arc<Framework>> {
        self.named(pod.scheduler())
    }

    /// The framework of a scheduler name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Framework>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, framework)| framework)
    }

    /// The framework for a pod that is in the queue, so that there is one.
    #[must_use]
    pub fn own(&self, pod: &PodInfo) -> Arc<Framework> {
        self.of(pod).unwrap_or(&self.0[0].1).clone()
    }

    /// The scheduler names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

fn profiles(file: &File, errors: &mut Errors) -> Profiles {
    let none = [file::Profile::default()];
    let given = if file.profiles.is_empty() { &none[..] } else { &file.profiles };
    let all = share(file.percentage_of_nodes_to_score, &Path::new("percentageOfNodesToScore"), errors);
    let mut profiles: Vec<(String, Arc<Framework>)> = Vec::new();
    for (i, profile) in given.iter().enumerate() {
        let at = Path::new("profiles").index(i);
        let name = match profile.scheduler_name.as_deref() {
            Some(name) if !name.is_empty() => name,
            None if given.len() == 1 => DEFAULT_NAME,
            _ => {
                errors.required(&at.child("schedulerName"), "");
                continue;
            }
        };
        if profiles.iter().any(|(other, _)| other == name) {
            errors.duplicate(&at.child("schedulerName"), name);
        }
        let own = profile.percentage_of_nodes_to_score;
        let share = share(own, &at.child("percentageOfNodesToScore"), errors).or(all);
        let framework = profile::framework(profile, share, &at, errors);
        profiles.push((name.to_owned(), Arc::new(framework)));
    }
    Profiles(profiles.into())
}

/// 0 and nothing: as many as the cluster's size suggests.
fn share(percent: Option<i32>, path: &Path, errors: &mut Errors) -> Option<usize> {
    let percent = percent?;
    if !(0..=100).contains(&percent) {
        errors.invalid(path, percent, "not in valid range [0-100]");
    }
    usize::try_from(percent).ok().filter(|percent| *percent > 0)
}

fn backoff(file: &File, errors: &mut Errors) -> (Duration, Duration) {
    let (first, most) = (file.pod_initial_backoff_seconds.unwrap_or(1), file.pod_max_backoff_seconds.unwrap_or(10));
    if first <= 0 {
        errors.invalid(&Path::new("podInitialBackoffSeconds"), first, "must be greater than 0");
    }
    if most < first {
        let why = "must be greater than or equal to PodInitialBackoffSeconds";
        errors.invalid(&Path::new("podMaxBackoffSeconds"), most, why);
    }
    let seconds = |number: i64| Duration::from_secs(number.unsigned_abs());
    (seconds(first), seconds(most))
}

fn election(given: &file::LeaderElection, errors: &mut Errors) -> Option<(Key, Settings)> {
    if given.leader_elect == Some(false) {
        return None;
    }
    let path = Path::new("leaderElection");
    let standard = Settings::default();
    let mut time = |text: &Option<String>, field: &str, standard: Duration| match text {
        None => standard,
        Some(text) => {
            text.parse::<jiff::SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok()).unwrap_or_else(|| {
                errors.invalid(&path.child(field), text.as_str(), "must be a duration such as 15s");
                standard
            })
        }
    };
    let settings = Settings {
        duration: time(&given.lease_duration, "leaseDuration", standard.duration),
        renew_deadline: time(&given.renew_deadline, "renewDeadline", standard.renew_deadline),
        retry: time(&given.retry_period, "retryPeriod", standard.retry),
    };
    for (field, time) in [
        ("leaseDuration", settings.duration),
        ("renewDeadline", settings.renew_deadline),
        ("retryPeriod", settings.retry),
    ] {
        if time.is_zero() {
            errors.invalid(&path.child(field), "0s", "must be greater than zero");
        }
    }
    if settings.duration <= settings.renew_deadline {
        let why = "LeaseDuration must be greater than RenewDeadline";
        errors.invalid(&path.child("leaseDuration"), format!("{:?}", settings.renew_deadline), why);
    }
    if let Some(lock) = given.resource_lock.as_deref().filter(|lock| !["", "leases"].contains(lock)) {
        errors.invalid(&path.child("resourceLock"), lock, "resourceLock value must be \"leases\"");
    }
    let or = |text: &Option<String>, standard: &str| {
        text.clone().filter(|t| !t.is_empty()).unwrap_or_else(|| standard.into())
    };
    let key = Key::new(or(&given.resource_namespace, "kube-system"), or(&given.resource_name, "kube-scheduler"));
    Some((key, settings))
}

#[cfg(test)]
mod tests;
