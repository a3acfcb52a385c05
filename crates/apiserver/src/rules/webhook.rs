//! Where a webhook is, and whom to trust there (`k8s.io/apiserver/pkg/util/webhook`).

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// A Service that a webhook is behind.
pub struct Service<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// What is asked for.
    pub path: Option<&'a str>,
    /// The Service's port.
    pub port: i32,
}

/// An address outside the cluster.
pub fn url(url: &str, path: &Path, errors: &mut Errors) {
    const FORM: &str = "; desired format: https://host[/path]";
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = if scheme.is_empty() { "" } else { rest.split('/').next().unwrap_or_default() };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if scheme != "https" {
        errors.invalid(path, scheme, format!("'https' is the only allowed URL scheme{FORM}"));
    }
    if host.is_empty() {
        errors.invalid(path, host, format!("host must be specified{FORM}"));
    }
    for (part, why) in [
        (user, "user information is not permitted in the URL"),
        (fragment, "fragments are not permitted in the URL"),
        (query, "query parameters are not permitted in the URL"),
    ] {
        if !part.is_empty() {
            errors.invalid(path, part, why);
        }
    }
}

/// A Service of the cluster.
pub fn service(service: &Service<'_>, path: &Path, errors: &mut Errors) {
    for (field, value) in [("name", service.name), ("namespace", service.namespace)] {
        if value.is_empty() {
            errors.required(&path.child(field), "");
        }
    }
    let faults = names::is_valid_port_num(service.port.into());
    if !faults.is_empty() {
        errors.invalid(&path.child("port"), service.port, format!("port is not valid: {}", faults.join(", ")));
    }
    let (at, url) = (path.child("path"), service.path.unwrap_or_default());
    if matches!(url, "" | "/") {
        return;
    }
    if url == "//" {
        return errors.invalid(&at, url, "segment[0] may not be empty");
    }
    if !url.starts_with('/') {
        errors.invalid(&at, url, "must start with a '/'");
    }
    let inner = url.get(1..).unwrap_or_default();
    for (index, segment) in inner.strip_suffix('/').unwrap_or(inner).split('/').enumerate() {
        if segment.is_empty() {
            errors.invalid(&at, url, format!("segment[{index}] may not be empty"));
            continue;
        }
        for fault in names::is_dns1123_subdomain(segment) {
            errors.invalid(&at, url, format!("segment[{index}]: {fault}"));
        }
    }
}

/// Certificates to trust, in PEM.
pub fn bundle(pem: &[u8], path: &Path, errors: &mut Errors) {
    if !is_bundle(pem) {
        use base64::Engine;
        let shown = base64::engine::general_purpose::STANDARD.encode(pem);
        errors.invalid(path, shown, "unable to load root certificates: unable to parse bytes as PEM block");
    }
}

/// Whether certificates can be read; none at all are fine.
#[must_use]
pub fn is_bundle(pem: &[u8]) -> bool {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    pem.is_empty() || found.is_ok_and(|all| !all.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_behind_https_and_nothing_but_a_path() {
        let told = |address: &str| {
            let mut errors = Errors::default();
            url(address, &Path::new("url"), &mut errors);
            errors.to_string()
        };
        assert_eq!(told("https://a.example/b"), "");
        assert!(told("http://a").starts_with("url: Invalid value: \"http\": 'https' is the only allowed URL scheme"));
        assert!(told("https://u@a?q#f").contains("query parameters are not permitted in the URL"));
    }

    #[test]
    fn segments_of_a_path_are_names() {
        let mut errors = Errors::default();
        let of = Service { name: "s", namespace: "n", path: Some("/a//B"), port: 0 };
        service(&of, &Path::new("service"), &mut errors);
        let told = errors.to_string();
        assert!(
            told.contains("service.port: Invalid value: 0: port is not valid: must be between 1 and 65535"),
            "{told}"
        );
        assert!(told.contains("segment[1] may not be empty") && told.contains("segment[2]: a lowercase"), "{told}");
    }
}
