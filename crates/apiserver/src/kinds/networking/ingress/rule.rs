//! Hosts, paths and certificates.

use std::net::IpAddr;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::networking::{HTTPIngressPath, IngressRule, IngressSpec};
use nakhoda_api::names;

use super::backend::backend;
use crate::rules::check::{each, list, subdomain, text};

/// No path of a known meaning holds these.
const SEQUENCES: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
/// No path of a known meaning ends with these.
const SUFFIXES: &[&str] = &["/..", "/."];

pub(super) fn spec(errors: &mut Errors, path: &Path, spec: &IngressSpec, old: Option<&IngressSpec>) {
    if list(&spec.rules).is_empty() && spec.default_backend.is_none() {
        let rules = serde_json::to_value(&spec.rules).unwrap_or_default();
        errors.invalid(path, rules, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(default) = &spec.default_backend {
        backend(errors, &path.child("defaultBackend"), default);
    }
    let lax = old.is_some_and(|old| list(&old.rules).iter().any(is_faulty_wildcard));
    for (i, one) in list(&spec.rules).iter().enumerate() {
        rule(errors, &path.child("rules").index(i), one, lax);
    }
    certificates(errors, &path.child("tls"), spec, old);
    if let Some(class) = &spec.ingress_class_name {
        subdomain(errors, &path.child("ingressClassName"), class);
    }
}

fn certificates(errors: &mut Errors, path: &Path, spec: &IngressSpec, old: Option<&IngressSpec>) {
    let faulty = |name: &str| !name.is_empty() && !names::is_dns1123_subdomain(name).is_empty();
    let lax = old.is_some_and(|old| list(&old.tls).iter().any(|tls| faulty(text(&tls.secret_name))));
    for (i, tls) in list(&spec.tls).iter().enumerate() {
        for (j, name) in list(&tls.hosts).iter().enumerate() {
            host(errors, &path.index(i).child("hosts").index(j), name);
        }
        let secret = text(&tls.secret_name);
        if !lax && faulty(secret) {
            subdomain(errors, &path.index(i).child("secretName"), secret);
        }
    }
}

fn host(errors: &mut Errors, path: &Path, host: &str) {
    if host.contains('*') {
        each(errors, path, host, names::is_wildcard_dns1123_subdomain(host));
    } else {
        subdomain(errors, path, host);
    }
}

/// A name, which an address is not.
pub(super) fn no_address(errors: &mut Errors, path: &Path, host: &str) {
    if host.parse::<IpAddr>().is_ok() {
        errors.invalid(path, host, "must be a DNS name, not an IP address");
    }
}

fn rule(errors: &mut Errors, path: &Path, rule: &IngressRule, lax: bool) {
    let name = text(&rule.host);
    if !name.is_empty() {
        no_address(errors, &path.child("host"), name);
        host(errors, &path.child("host"), name);
    }
    if !(lax && name.contains('*')) {
        paths(errors, path, rule);
    }
}

fn paths(errors: &mut Errors, path: &Path, rule: &IngressRule) {
    let Some(http) = &rule.http else { return };
    let at = path.child("http").child("paths");
    if http.paths.is_empty() {
        errors.required(&at, "");
    }
    for (i, one) in http.paths.iter().enumerate() {
        http_path(errors, &at.index(i), one);
    }
}

fn http_path(errors: &mut Errors, path: &Path, one: &HTTPIngressPath) {
    let (at, value) = (path.child("path"), text(&one.path));
    let absolute = "must be an absolute path";
    match one.path_type.as_str() {
        "" => return errors.required(&path.child("pathType"), "pathType must be specified"),
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                errors.invalid(&at, value, absolute);
            }
            for sequence in SEQUENCES.iter().filter(|s| value.contains(**s)) {
                errors.invalid(&at, value, format!("must not contain '{sequence}'"));
            }
            for suffix in SUFFIXES.iter().filter(|s| value.ends_with(**s)) {
                errors.invalid(&at, value, format!("cannot end with '{suffix}'"));
            }
        }
        "ImplementationSpecific" if !value.is_empty() && !value.starts_with('/') => errors.invalid(&at, value, absolute),
        "ImplementationSpecific" => {}
        other => {
            errors.not_supported(&path.child("pathType"), other, &["Exact", "ImplementationSpecific", "Prefix"]);
        }
    }
    backend(errors, &path.child("backend"), &one.backend);
}

fn is_faulty_wildcard(rule: &IngressRule) -> bool {
    let mut errors = Errors::default();
    paths(&mut errors, &Path::default(), rule);
    text(&rule.host).contains('*') && !errors.is_empty()
}
