//! PodSecurityConfiguration: what counts in a namespace whose labels say nothing, and who is not looked at
//! (`k8s.io/pod-security-admission/admission/api`).

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;
use serde::Deserialize;
use serde_json::Value;

use super::policy::{self, Policy};

const KIND: &str = "PodSecurityConfiguration";
const GROUP: &str = "pod-security.admission.config.k8s.io/";

/// The configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    /// Where labels say nothing.
    pub(crate) defaults: Policy,
    /// Who is let through.
    pub(crate) exempt: Exemptions,
}

/// Who is let through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Exemptions {
    pub(crate) usernames: Vec<String>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) runtime_classes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    #[serde(default)]
    exemptions: Exemptions,
}

// === impl Configuration ===

impl Configuration {
    /// Reads the plugin's part of an AdmissionConfiguration.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let file: File = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        let named = !file.api_version.is_empty() || !file.kind.is_empty();
        if named && (file.kind != KIND || !file.api_version.starts_with(GROUP)) {
            return Err(format!("expected {KIND}, got {} {}", file.api_version, file.kind));
        }
        let mut errors = Errors::default();
        let defaults = Policy::defaults(&file.defaults, &mut errors);
        file.exemptions.check(&mut errors);
        if errors.is_empty() { Ok(Self { defaults, exempt: file.exemptions }) } else { Err(errors.to_string()) }
    }

    /// Why nobody looks, if nobody does.
    pub(crate) fn exempts(&self, namespace: &str, user: &str) -> Option<&'static str> {
        let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
        if self.is_exempt(namespace) {
            return Some("namespace");
        }
        has(&self.exempt.usernames, user).then_some("user")
    }

    /// Whether nobody looks at what is in a namespace.
    pub(crate) fn is_exempt(&self, namespace: &str) -> bool {
        self.exempt.namespaces.iter().any(|name| name == namespace)
    }

    /// Whether pods of a runtime class are not looked at.
    pub(crate) fn exempts_class(&self, class: Option<&str>) -> bool {
        class.is_some_and(|class| self.exempt.runtime_classes.iter().any(|name| name == class))
    }

    /// What is told of a namespace whose labels nobody heeds.
    pub(crate) fn ignored(&self, namespace: &str, policy: &Policy, labels: &BTreeMap<String, String>) -> Option<String> {
        let told = policy.told(labels);
        let worth = self.is_exempt(namespace) && *policy != self.defaults && !told.is_empty();
        worth.then(|| format!("namespace {namespace:?} is exempt from Pod Security, and the policy ({told}) will be ignored"))
    }
}

// === impl Exemptions ===

impl Exemptions {
    fn check(&self, errors: &mut Errors) {
        let user = |name: &str| if name.is_empty() { vec!["username must not be empty".to_owned()] } else { Vec::new() };
        each(errors, "namespaces", &self.namespaces, names::is_dns1123_label);
        each(errors, "runtimeClasses", &self.runtime_classes, names::is_dns1123_subdomain);
        each(errors, "usernames", &self.usernames, user);
    }
}

fn each(errors: &mut Errors, field: &str, list: &[String], faults: impl Fn(&str) -> Vec<String>) {
    for (index, name) in list.iter().enumerate() {
        let path = Path::new("exemptions").child(field).index(index);
        let faults = faults(name);
        if !faults.is_empty() {
            errors.invalid(&path, name.as_str(), faults.join(", "));
        } else if list[..index].contains(name) {
            errors.duplicate(&path, name.as_str());
        }
    }
}

impl Policy {
    fn defaults(given: &BTreeMap<String, String>, errors: &mut Errors) -> Self {
        let mut policy = Self::default();
        for mode in ["enforce", "warn", "audit"] {
            let at = |name: &str| Path::new("defaults").child(name);
            let standard = policy.mode(mode);
            if let Some(text) = given.get(mode) {
                match policy::Level::read(text) {
                    Ok(level) => standard.level = level,
                    Err(why) => errors.invalid(&at(mode), text.as_str(), why),
                }
            }
            let version = format!("{mode}-version");
            if let Some(text) = given.get(&version) {
                match policy::Version::read(text) {
                    Ok(version) => standard.version = version,
                    Err(why) => errors.invalid(&at(&version), text.as_str(), why),
                }
            }
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_and_exemptions_are_read() {
        let read = Configuration::read(&json!({
            "apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration",
            "defaults": {"enforce": "baseline", "warn": "restricted", "warn-version": "v1.30"},
            "exemptions": {"namespaces": ["kube-system"], "usernames": ["me"], "runtimeClasses": ["vm"]}}));
        let read = read.expect("a configuration");
        assert_eq!(format!("{} {}", read.defaults.enforce, read.defaults.warn), "baseline:latest restricted:v1.30");
        assert_eq!(read.exempts("kube-system", "me"), Some("namespace"));
        assert_eq!((read.exempts("a", "me"), read.exempts("a", "you")), (Some("user"), None));
        assert!(read.exempts_class(Some("vm")) && !read.exempts_class(None));
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        let told = |value: Value| Configuration::read(&value).expect_err("refused");
        assert_eq!(told(json!({"kind": "Pod", "apiVersion": "v1"})), "expected PodSecurityConfiguration, got v1 Pod");
        let faulty = json!({"defaults": {"warn-version": "1.2"}, "exemptions": {"usernames": [""], "namespaces": ["a", "a"]}});
        assert_eq!(
            told(faulty),
            "[defaults.warn-version: Invalid value: \"1.2\": must be \"latest\" or \"v1.x\", \
             exemptions.namespaces[1]: Duplicate value: \"a\", \
             exemptions.usernames[0]: Invalid value: \"\": username must not be empty]"
        );
    }
}
