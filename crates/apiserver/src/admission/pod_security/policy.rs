//! What a namespace asks of its pods, by its labels.

use std::collections::BTreeMap;
use std::fmt;

use nakhoda_api::field::{Errors, Path};

const PREFIX: &str = "pod-security.kubernetes.io/";

/// How strict; each includes what stands before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    #[default]
    Privileged,
    Baseline,
    Restricted,
}

/// Of which version of Kubernetes, `1.n`; the latest is newer than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Minor(u32),
    Latest,
}

/// A level as a version defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standard {
    pub(crate) level: Level,
    pub(crate) version: Version,
}

/// What is refused, what is noted, and what is warned of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) enforce: Standard,
    pub(crate) audit: Standard,
    pub(crate) warn: Standard,
}

// === impl Level ===

impl Level {
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        match text {
            "privileged" => Ok(Self::Privileged),
            "baseline" => Ok(Self::Baseline),
            "restricted" => Ok(Self::Restricted),
            _ => Err("must be one of privileged, baseline, restricted"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        })
    }
}

// === impl Version ===

impl Version {
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let digits = text.strip_prefix("v1.").filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        let plain = digits.filter(|rest| *rest == "0" || !rest.starts_with('0'));
        plain.and_then(|rest| rest.parse().ok()).map(Self::Minor).ok_or("must be \"latest\" or \"v1.x\"")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minor(minor) => write!(f, "v1.{minor}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

// === impl Standard ===

impl Default for Standard {
    fn default() -> Self {
        Self { level: Level::Privileged, version: Version::Latest }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

// === impl Policy ===

impl Policy {
    /// Reads labels; where they say nothing the defaults count. What cannot be read counts as restricted where it
    /// refuses, as privileged where it only tells.
    pub(crate) fn of(labels: &BTreeMap<String, String>, defaults: &Self) -> (Self, Errors) {
        let (mut policy, mut errors) = (*defaults, Errors::default());
        let enforced = read(labels, "enforce", Level::Restricted, &mut policy.enforce, &mut errors);
        read(labels, "audit", Level::Privileged, &mut policy.audit, &mut errors);
        read(labels, "warn", Level::Privileged, &mut policy.warn, &mut errors);
        let said = |mode: &str| labels.contains_key(&format!("{PREFIX}{mode}"));
        // who refuses more than he warns of is taken to want the warning, too
        if enforced && !said("warn") && policy.enforce.level > policy.warn.level {
            policy.warn.level = policy.enforce.level;
            if !said("warn-version") {
                policy.warn.version = policy.enforce.version;
            }
        }
        (policy, errors)
    }

    /// What a mode asks.
    pub(crate) fn mode(&mut self, name: &str) -> &mut Standard {
        match name {
            "enforce" => &mut self.enforce,
            "audit" => &mut self.audit,
            _ => &mut self.warn,
        }
    }

    /// Whether everything goes.
    pub(crate) fn is_privileged(&self) -> bool {
        [self.enforce, self.audit, self.warn].iter().all(|standard| standard.level == Level::Privileged)
    }

    /// The modes that labels name and that ask for something.
    pub(crate) fn told(&self, labels: &BTreeMap<String, String>) -> String {
        let named = |mode: &str| labels.keys().any(|key| key.strip_prefix(PREFIX).is_some_and(|k| k.trim_end_matches("-version") == mode));
        let modes = [("enforce", self.enforce), ("audit", self.audit), ("warn", self.warn)];
        let told = modes.iter().filter(|(mode, standard)| standard.level != Level::Privileged && named(mode));
        told.map(|(mode, standard)| format!("{mode}={standard}")).collect::<Vec<_>>().join(", ")
    }
}

/// Whether the level of a mode was given and could be read.
fn read(
    labels: &BTreeMap<String, String>,
    mode: &str,
    fallback: Level,
    standard: &mut Standard,
    errors: &mut Errors,
) -> bool {
    let at = |label: &str| Path::new("metadata").child("labels").key(label);
    let (level, version) = (format!("{PREFIX}{mode}"), format!("{PREFIX}{mode}-version"));
    let mut readable = false;
    if let Some(text) = labels.get(&level) {
        let read = Level::read(text);
        readable = read.is_ok();
        standard.level = read.unwrap_or(fallback);
        if let Err(why) = read {
            errors.invalid(&at(&level), text.as_str(), why);
        }
    }
    if let Some(text) = labels.get(&version) {
        let read = Version::read(text);
        standard.version = read.unwrap_or(Version::Latest);
        if let Err(why) = read {
            errors.invalid(&at(&version), text.as_str(), why);
        }
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[(&str, &str)]) -> (Policy, Errors) {
        Policy::of(&labels.iter().map(|(mode, value)| (format!("{PREFIX}{mode}"), (*value).to_owned())).collect(), &Policy::default())
    }

    #[test]
    fn labels_say_what_is_refused_and_thereby_what_is_warned_of() {
        let shown = |policy: Policy| format!("{} {} {}", policy.enforce, policy.audit, policy.warn);
        for (labels, wanted) in [
            (&[][..], "privileged:latest privileged:latest privileged:latest"),
            (&[("enforce", "baseline"), ("enforce-version", "v1.20")][..], "baseline:v1.20 privileged:latest baseline:v1.20"),
            (&[("enforce", "baseline"), ("warn", "privileged")][..], "baseline:latest privileged:latest privileged:latest"),
            (&[("enforce", "baseline"), ("warn-version", "v1.2")][..], "baseline:latest privileged:latest baseline:v1.2"),
            (&[("audit", "restricted"), ("warn", "x")][..], "privileged:latest restricted:latest privileged:latest"),
            (&[("enforce", "x")][..], "restricted:latest privileged:latest privileged:latest"),
        ] {
            assert_eq!(shown(of(labels).0), wanted);
        }
    }

    #[test]
    fn labels_that_cannot_be_read_are_told() {
        assert_eq!(
            of(&[("enforce", "x")]).1.to_string(),
            "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"x\": must be one of privileged, baseline, restricted"
        );
        for version in ["1.20", "v1.020", "v2.1", "v1.", "Latest"] {
            let told = of(&[("warn-version", version)]).1.to_string();
            assert!(told.ends_with("must be \"latest\" or \"v1.x\""), "{version}");
        }
    }
}
