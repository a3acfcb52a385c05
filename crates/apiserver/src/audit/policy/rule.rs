//! One rule of a policy.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;
use serde::Deserialize;

use super::{Level, stages};
use crate::request::{ResourceTarget, Target};
use crate::user::User;

const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];

/// Which requests, and how much of them. An empty list takes all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Rule {
    level: String,
    users: Vec<String>,
    user_groups: Vec<String>,
    verbs: Vec<String>,
    resources: Vec<Resources>,
    namespaces: Vec<String>,
    #[serde(rename = "nonResourceURLs")]
    non_resource_urls: Vec<String>,
    pub(super) omit_stages: Vec<String>,
    pub(super) omit_managed_fields: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Resources {
    group: String,
    resources: Vec<String>,
    resource_names: Vec<String>,
}

// === impl Rule ===

impl Rule {
    pub(super) fn level(&self) -> Level {
        match self.level.as_str() {
            "Metadata" => Level::Metadata,
            "Request" => Level::Request,
            "RequestResponse" => Level::RequestResponse,
            _ => Level::None,
        }
    }

    pub(super) fn matches(&self, user: &User, verb: &str, target: &Target) -> bool {
        let names = |list: &[String], name: &str| list.is_empty() || list.iter().any(|each| each == name);
        let grouped = self.user_groups.is_empty() || self.user_groups.iter().any(|group| user.is_in(group));
        if !names(&self.users, &user.name) || !grouped || !names(&self.verbs, verb) {
            return false;
        }
        let resources = !self.namespaces.is_empty() || !self.resources.is_empty();
        match target {
            Target::Resource(target) if resources => {
                names(&self.namespaces, &target.namespace)
                    && (self.resources.is_empty() || self.resources.iter().any(|resources| resources.matches(target)))
            }
            Target::Path(path) if !resources && !self.non_resource_urls.is_empty() => {
                self.non_resource_urls.iter().any(|spec| covers(spec, path))
            }
            _ => !resources && self.non_resource_urls.is_empty(),
        }
    }

    pub(super) fn check(&self, at: &Path, errors: &mut Errors) {
        match self.level.as_str() {
            "" => errors.required(&at.child("level"), ""),
            level if LEVELS.contains(&level) => {}
            level => errors.not_supported(&at.child("level"), level, &LEVELS),
        }
        let urls = at.child("nonResourceURLs");
        for (index, url) in self.non_resource_urls.iter().enumerate().filter(|(_, url)| *url != "*") {
            if !url.starts_with('/') {
                errors.invalid(
                    &urls.index(index),
                    url.as_str(),
                    "non-resource URL rules must begin with a '/' character",
                );
            }
            if url.strip_suffix('*').unwrap_or(url).contains('*') {
                let why = "non-resource URL wildcards '*' must be the final character of the rule";
                errors.invalid(&urls.index(index), url.as_str(), why);
            }
        }
        for resources in &self.resources {
            resources.check(&at.child("resources"), errors);
        }
        stages(&self.omit_stages, &at.child("omitStages"), errors);
        let resources = !self.resources.is_empty() || !self.namespaces.is_empty();
        if resources && !self.non_resource_urls.is_empty() {
            let why = "rules cannot apply to both regular resources and non-resource URLs";
            errors.invalid(&urls, self.non_resource_urls.clone(), why);
        }
    }
}

// === impl Resources ===

impl Resources {
    fn matches(&self, target: &ResourceTarget) -> bool {
        if self.group != "*" && self.group != target.gvr.group {
            return false;
        }
        let named = self.resource_names.is_empty() || self.resource_names.contains(&target.name);
        let (resource, sub) = (target.gvr.resource.as_str(), target.subresource.as_str());
        let fits = |spec: &str| match spec.split_once('/') {
            None => spec == "*" || (spec == resource && sub.is_empty()),
            Some(("*", part)) => !sub.is_empty() && (part == sub || part == "*"),
            Some((whole, "*")) => whole == resource,
            Some((whole, part)) => whole == resource && part == sub,
        };
        self.resources.is_empty() || (named && self.resources.iter().any(|spec| fits(spec)))
    }

    fn check(&self, at: &Path, errors: &mut Errors) {
        if !self.group.is_empty() && self.group != "*" {
            for why in names::is_dns1123_subdomain(&self.group) {
                errors.invalid(&at.child("group"), self.group.as_str(), why);
            }
        }
        if !self.resource_names.is_empty() && self.resources.is_empty() {
            let why = "using resourceNames requires at least one resource";
            errors.invalid(&at.child("resourceNames"), self.resource_names.clone(), why);
        }
    }
}

/// Whether a path is one that a rule names, or begins so.
fn covers(spec: &str, path: &str) -> bool {
    spec == "*" || spec == path || spec.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
}
