//! Which objects a command line means: `TYPE NAME…`, `TYPE/NAME…`, files, selectors, all of a type.

use nakhoda_client::{DynamicApi, Selection};
use serde_json::Value;

use crate::cluster::{Cluster, text};
use crate::manifest::Files;
use crate::mapping::Resource;
use crate::{Error, error};

/// Which objects of a type.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Select {
    /// Label selector
    #[arg(long, short = 'l', default_value = "", hide_default_value = true)]
    pub selector: String,
    /// Field selector
    #[arg(long, default_value = "", hide_default_value = true)]
    pub field_selector: String,
    /// All objects of the given types
    #[arg(long)]
    pub all: bool,
    /// In all namespaces
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
}

/// One object that is meant.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its resource.
    pub resource: Resource,
    /// Empty for what belongs to the whole cluster.
    pub namespace: String,
    /// Its name; empty if the server is to choose it.
    pub name: String,
    /// As the file, or the list, has it.
    pub object: Option<Value>,
}

/// Errors of some of many objects; the others are still done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcomes {
    failed: bool,
}

// === impl Select ===

impl Select {
    /// Whether it says anything about which.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.all || !self.selector.is_empty() || !self.field_selector.is_empty()
    }

    /// As the server takes it.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection { labels: self.selector.clone(), fields: self.field_selector.clone() }
    }

    fn check(&self) -> Result<(), Error> {
        match (self.all, self.selector.is_empty(), self.field_selector.is_empty()) {
            (true, false, _) => Err(Error::Usage("cannot set --all and --selector at the same time".into())),
            (true, _, false) => Err(Error::Usage("cannot set --all and --field-selector at the same time".into())),
            _ => Ok(()),
        }
    }
}

// === impl Item ===

impl Item {
    /// As messages print it: `deployment.apps/web`.
    #[must_use]
    pub fn printed(&self) -> String {
        format!("{}/{}", self.resource.printed(), self.name)
    }

    /// The verbs where it lives.
    #[must_use]
    pub fn api(&self, cluster: &Cluster) -> DynamicApi {
        cluster.api(&self.resource, &self.namespace)
    }

    /// Its state in the cluster.
    pub async fn get(&self, cluster: &Cluster) -> Result<Value, Error> {
        cluster.get(&self.resource, &self.namespace, &self.name).await
    }

    /// An object of a file, or of a list.
    pub fn of(cluster: &Cluster, object: Value) -> Result<Self, Error> {
        let resource = cluster.resource_of(&object)?.clone();
        let name = text(&object, "/metadata/name").to_owned();
        let given = text(&object, "/metadata/namespace");
        let namespace = match (resource.namespaced, given) {
            (false, _) => String::new(),
            (true, "") => cluster.namespace.clone(),
            (true, given) if cluster.explicit && given != cluster.namespace => {
                return Err(Error::Usage(format!(
                    "the namespace from the provided object {given:?} does not match the namespace {:?}. You must pass '--namespace={given}' to perform this operation.",
                    cluster.namespace
                )));
            }
            (true, given) => given.to_owned(),
        };
        Ok(Self { resource, namespace, name, object: Some(object) })
    }
}

// === impl Outcomes ===

impl Outcomes {
    /// The value, or the error told on standard error.
    pub fn take<T>(&mut self, outcome: Result<T, Error>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed = true;
                eprintln!("{}", error::sentence(&error));
                None
            }
        }
    }

    /// 1 if anything failed.
    #[must_use]
    pub fn code(self) -> std::process::ExitCode {
        if self.failed { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS }
    }
}

/// Every object that is meant.
pub async fn items(cluster: &Cluster, words: &[String], files: &Files, select: &Select) -> Result<Vec<Item>, Error> {
    select.check()?;
    if !files.names.is_empty() {
        if !words.is_empty() {
            return Err(Error::Usage(
                "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
                    .into(),
            ));
        }
        return files.read()?.into_iter().map(|object| Item::of(cluster, object)).collect();
    }
    let Some(first) = words.first() else {
        return Err(Error::Usage("you must specify one or more resources by -f FILE, TYPE NAME, or TYPE/NAME".into()));
    };
    if words.iter().any(|word| word.contains('/')) {
        return words.iter().map(|word| slashed(cluster, word)).collect();
    }
    let resources = cluster.mapping.find_all(first)?;
    let names = &words[1..];
    if select.is_given() || select.all_namespaces {
        if !names.is_empty() {
            return Err(Error::Usage("name cannot be provided when a selector is specified".into()));
        }
        return listed(cluster, &resources, select).await;
    }
    if names.is_empty() {
        return Err(Error::Usage("resource(s) were provided, but no name was specified".into()));
    }
    let pairs = resources.iter().flat_map(|resource| names.iter().map(move |name| (resource, name)));
    Ok(pairs.map(|(resource, name)| named(cluster, resource, name)).collect())
}

/// One object by `TYPE/NAME`, or by name alone if it is of the default type.
pub fn one(cluster: &Cluster, word: &str, default: &str) -> Result<Item, Error> {
    match word.contains('/') {
        true => slashed(cluster, word),
        false => Ok(named(cluster, cluster.mapping.find(default)?, word)),
    }
}

/// An object of a known resource in the request's namespace.
#[must_use]
pub fn named(cluster: &Cluster, resource: &Resource, name: &str) -> Item {
    let namespace = if resource.namespaced { cluster.namespace.clone() } else { String::new() };
    Item { resource: resource.clone(), namespace, name: name.into(), object: None }
}

fn slashed(cluster: &Cluster, word: &str) -> Result<Item, Error> {
    match word.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(named(cluster, cluster.mapping.find(kind)?, name))
        }
        _ => Err(Error::Usage(format!(
            "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form, and {word:?} is not of that form (e.g. 'ctl get resource/<resource_name>')"
        ))),
    }
}

async fn listed(cluster: &Cluster, resources: &[&Resource], select: &Select) -> Result<Vec<Item>, Error> {
    let mut all = Vec::new();
    let namespace = if select.all_namespaces { "" } else { &cluster.namespace };
    for resource in resources {
        for object in cluster.list(resource, namespace, &select.selection()).await? {
            let namespace = text(&object, "/metadata/namespace").to_owned();
            let name = text(&object, "/metadata/name").to_owned();
            all.push(Item { resource: (*resource).clone(), namespace, name, object: Some(object) });
        }
    }
    Ok(all)
}
