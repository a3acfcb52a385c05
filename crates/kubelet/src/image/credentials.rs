//! Logins for registries out of a pod's `imagePullSecrets`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::{Pod, Secret};
use serde::Deserialize;

use crate::cri::v1::AuthConfig;
use crate::pod::spec;
use crate::source::Cluster;

#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerConfig {
    auths: BTreeMap<String, Login>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Login {
    username: String,
    password: String,
    auth: String,
}

/// The logins that a pod has for the registry of an image, most exact first.
pub async fn of(cluster: &dyn Cluster, pod: &Pod, whole: &str) -> Vec<AuthConfig> {
    let mut found = Vec::new();
    for reference in spec::of(pod).image_pull_secrets.iter().flatten() {
        match cluster.secret(spec::namespace(pod), &reference.name).await {
            Ok(secret) => found.extend(logins(&secret)),
            Err(error) => tracing::info!(%error, pod = spec::full_name(pod), "pull secret not usable"),
        }
    }
    let mut fitting: Vec<_> = found.into_iter().filter(|(registry, _)| fits(registry, whole)).collect();
    fitting.sort_by_key(|(registry, _)| std::cmp::Reverse(registry.len()));
    fitting.into_iter().map(|(registry, login)| auth(registry, login)).collect()
}

fn logins(secret: &Secret) -> Vec<(String, Login)> {
    let data = |key: &str| secret.data.as_ref().and_then(|d| d.get(key)).map(|b| b.0.as_slice());
    let modern = data(".dockerconfigjson").and_then(|bytes| serde_json::from_slice::<DockerConfig>(bytes).ok());
    let old = || data(".dockercfg").and_then(|bytes| serde_json::from_slice::<BTreeMap<String, Login>>(bytes).ok());
    let auths = modern.map(|config| config.auths).or_else(old).unwrap_or_default();
    auths.into_iter().map(|(registry, login)| (bare(&registry), login)).collect()
}

/// Without scheme and API version; Docker Hub under the name that images have.
fn bare(registry: &str) -> String {
    let name = registry.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let name = name.trim_end_matches("/v1").trim_end_matches("/v2");
    if name == "index.docker.io" { "docker.io".into() } else { name.into() }
}

fn fits(registry: &str, whole: &str) -> bool {
    whole.strip_prefix(registry).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']))
}

fn auth(registry: String, login: Login) -> AuthConfig {
    let decoded = STANDARD.decode(&login.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let (username, password) = match pair {
        Some((name, password)) if login.username.is_empty() => (name.to_owned(), password.to_owned()),
        _ => (login.username, login.password),
    };
    AuthConfig { username, password, server_address: registry, ..AuthConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_fits_its_registry_only() {
        assert!(fits("r.io", "r.io/a:1") && fits("r.io/a", "r.io/a:1"));
        assert!(!fits("r.io", "r.io.evil/a:1"));
        assert_eq!(bare("https://index.docker.io/v1/"), "docker.io");
        let login = Login { auth: STANDARD.encode("u:p:q"), ..Login::default() };
        let auth = auth("r".into(), login);
        assert_eq!((auth.username.as_str(), auth.password.as_str()), ("u", "p:q"));
    }
}
