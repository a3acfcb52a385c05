//! Names: resolution, the pod's own, and aliases.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{HostAlias, PodDNSConfig, PodSpec};
use nakhoda_api::names;

use crate::rules::check::{each, list, subdomain, text};

/// `dnsConfig`, which the policy `None` depends on.
pub fn dns(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let alone = text(&spec.dns_policy) == "None";
    match &spec.dns_config {
        None if alone => errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None"),
        None => {}
        Some(config) if alone && list(&config.nameservers).is_empty() => {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.required(&path.child("nameservers"), why);
        }
        Some(config) => resolver(errors, path, config),
    }
}

fn resolver(errors: &mut Errors, path: &Path, config: &PodDNSConfig) {
    let (servers, searches) = (list(&config.nameservers), list(&config.searches));
    let at = path.child("nameservers");
    if servers.len() > 3 {
        errors.invalid(&at, servers.to_vec(), "must not have more than 3 nameservers");
    }
    for (i, server) in servers.iter().enumerate() {
        each(errors, &at.index(i), server.as_str(), names::is_valid_ip(server));
    }
    let at = path.child("searches");
    if searches.len() > 32 {
        errors.invalid(&at, searches.to_vec(), "must not have more than 32 search paths");
    }
    if searches.join(" ").len() > 2048 {
        let why = "must not have more than 2048 characters (including spaces) in the search list";
        errors.invalid(&at, searches.to_vec(), why);
    }
    for (i, search) in searches.iter().enumerate().filter(|(_, s)| *s != ".") {
        let name = search.strip_suffix('.').unwrap_or(search);
        each(errors, &at.index(i), name, names::is_dns1123_subdomain_with_underscore(name));
    }
    for (i, _) in list(&config.options).iter().enumerate().filter(|(_, o)| text(&o.name).is_empty()) {
        errors.required(&path.child("options").index(i), "must not be empty");
    }
}

/// `hostnameOverride` stands alone.
pub fn hostname_override(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let Some(name) = &spec.hostname_override else { return };
    if spec.set_hostname_as_fqdn == Some(true) {
        errors.forbidden(path, "may not be specified when setHostnameAsFQDN is true");
    }
    if spec.host_network == Some(true) {
        errors.forbidden(path, "may not be specified when hostNetwork is true");
    }
    if name.len() > 64 {
        errors.too_long(path, 64);
    }
    subdomain(errors, path, name);
}

/// Lines of `/etc/hosts`.
pub fn host_aliases(errors: &mut Errors, path: &Path, aliases: &[HostAlias]) {
    for (i, alias) in aliases.iter().enumerate() {
        let at = path.index(i);
        each(errors, &at.child("ip"), alias.ip.as_str(), names::is_valid_ip(&alias.ip));
        for (j, name) in list(&alias.hostnames).iter().enumerate() {
            subdomain(errors, &at.child("hostnames").index(j), name);
        }
    }
}
