//! Environment variables and the expansion of `$(VAR)`, as upstream does both.

mod services;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::FutureExt;
use k8s_openapi::api::core::v1::{Container, EnvVar, Pod, Service};

use crate::downward::{self, Facts};
use crate::pod::spec;
use crate::source::{Cluster, Error as ApiError};

/// Why a container's environment cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The API does not have what is referred to.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The object has no such key.
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    NoKey {
        /// Which key.
        key: String,
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A field or resource reference means nothing.
    #[error(transparent)]
    Downward(#[from] downward::Error),
}

/// The variables of a container, in order.
pub async fn of(
    cluster: &dyn Cluster,
    pod: &Pod,
    container: &Container,
    facts: &Facts<'_>,
) -> Result<Vec<(String, String)>, Error> {
    let mut env = Ordered::default();
    // A static pod does not wait for the API.
    let services: Vec<Arc<Service>> = match spec::is_static(pod) {
        true => cluster.services().now_or_never().unwrap_or_default(),
        false => cluster.services().await,
    };
    let links = spec::of(pod).enable_service_links.unwrap_or(true);
    let from_services = services::variables(&services, spec::namespace(pod), links);
    from_all(cluster, pod, container, &mut env).await?;
    // Service variables stand behind the container's own, but can be referred to by them.
    let mut known: HashMap<String, String> = from_services.iter().cloned().collect();
    known.extend(env.values.clone());
    for var in container.env.iter().flatten() {
        if let Some(value) = value(cluster, pod, container, facts, var, &known).await? {
            known.insert(var.name.clone(), value.clone());
            env.set(&var.name, value);
        }
    }
    for (name, value) in from_services {
        if !env.values.contains_key(&name) {
            env.set(&name, value);
        }
    }
    Ok(env
        .order
        .into_iter()
        .map(|name| (env.values.get(&name).cloned().unwrap_or_default(), name))
        .map(|(v, n)| (n, v))
        .collect())
}

#[derive(Default)]
struct Ordered {
    order: Vec<String>,
    values: HashMap<String, String>,
}

impl Ordered {
    fn set(&mut self, name: &str, value: String) {
        if self.values.insert(name.to_owned(), value).is_none() {
            self.order.push(name.to_owned());
        }
    }
}

async fn from_all(cluster: &dyn Cluster, pod: &Pod, container: &Container, env: &mut Ordered) -> Result<(), Error> {
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.clone().unwrap_or_default();
        let data: BTreeMap<String, String> = if let Some(source) = &from.config_map_ref {
            match cluster.config_map(spec::namespace(pod), &source.name).await {
                Ok(map) => map.data.clone().unwrap_or_default(),
                Err(ApiError::NotFound(_)) if source.optional == Some(true) => continue,
                Err(error) => return Err(error.into()),
            }
        } else if let Some(source) = &from.secret_ref {
            match cluster.secret(spec::namespace(pod), &source.name).await {
                Ok(secret) => secret.data.iter().flatten().map(|(k, v)| (k.clone(), text(&v.0))).collect(),
                Err(ApiError::NotFound(_)) if source.optional == Some(true) => continue,
                Err(error) => return Err(error.into()),
            }
        } else {
            continue;
        };
        for (key, value) in data {
            env.set(&format!("{prefix}{key}"), value);
        }
    }
    Ok(())
}

async fn value(
    cluster: &dyn Cluster,
    pod: &Pod,
    container: &Container,
    facts: &Facts<'_>,
    var: &EnvVar,
    known: &HashMap<String, String>,
) -> Result<Option<String>, Error> {
    let namespace = spec::namespace(pod);
    let Some(from) = &var.value_from else {
        return Ok(Some(expand(var.value.as_deref().unwrap_or_default(), |name| known.get(name).cloned())));
    };
    let missing = |key: &str, kind, name: &str| Error::NoKey {
        key: key.into(),
        kind,
        namespace: namespace.into(),
        name: name.into(),
    };
    if let Some(field) = &from.field_ref {
        return Ok(Some(downward::field(pod, &field.field_path, facts)?));
    }
    if let Some(resource) = &from.resource_field_ref {
        return Ok(Some(downward::resource(pod, Some(container), resource, facts)?));
    }
    if let Some(select) = &from.config_map_key_ref {
        let optional = select.optional == Some(true);
        return match cluster.config_map(namespace, &select.name).await {
            Ok(map) => match map.data.as_ref().and_then(|d| d.get(&select.key)) {
                Some(value) => Ok(Some(value.clone())),
                None if optional => Ok(None),
                None => Err(missing(&select.key, "ConfigMap", &select.name)),
            },
            Err(ApiError::NotFound(_)) if optional => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    if let Some(select) = &from.secret_key_ref {
        let optional = select.optional == Some(true);
        return match cluster.secret(namespace, &select.name).await {
            Ok(secret) => match secret.data.as_ref().and_then(|d| d.get(&select.key)) {
                Some(value) => Ok(Some(text(&value.0))),
                None if optional => Ok(None),
                None => Err(missing(&select.key, "Secret", &select.name)),
            },
            Err(ApiError::NotFound(_)) if optional => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    Ok(Some(String::new()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Replaces `$(NAME)` by its value; `$$` is a dollar; a name that means nothing stays as it is written.
pub fn expand(input: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(input.len());
    let mut rest = input;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match lookup(name) {
                Some(value) => out.push_str(&value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_as_upstream_documents_it() {
        let lookup = |name: &str| (name == "A").then(|| "a".to_owned());
        for (input, output) in [
            ("$(A)", "a"),
            ("x$(A)y", "xay"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$a"),
            ("$(B)", "$(B)"),
            ("$A", "$A"),
            ("$(A", "$(A"),
            ("100$", "100$"),
        ] {
            assert_eq!(expand(input, lookup), output, "{input}");
        }
    }
}
