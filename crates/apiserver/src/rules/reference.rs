//! References by group, kind and name.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;

use crate::rules::check::{each, subdomain};

/// What must be given and must fit between two slashes of a URL.
pub fn segment(errors: &mut Errors, path: &Path, value: &str) {
    if value.is_empty() {
        return errors.required(path, "");
    }
    each(errors, path, value, names::is_path_segment_name(value));
}

/// Group, kind and name of an object in the same namespace, or of the cluster.
pub fn typed(errors: &mut Errors, path: &Path, group: Option<&str>, kind: &str, name: &str) {
    if let Some(group) = group {
        subdomain(errors, &path.child("apiGroup"), group);
    }
    segment(errors, &path.child("kind"), kind);
    segment(errors, &path.child("name"), name);
}

/// A path behind a domain, as controllers and signers are named: `acme.io/foo`.
pub fn domain_path(errors: &mut Errors, path: &Path, value: &str) {
    if value.is_empty() {
        return errors.required(path, "");
    }
    let (Some((host, rest)), false) = (value.split_once('/'), value.starts_with('/') || value.ends_with('/')) else {
        return errors.invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    };
    each(errors, path, host, names::is_dns1123_subdomain(host));
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b);
    if !rest.bytes().all(fits) {
        let why = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
        errors.invalid(path, rest, why);
    }
}
