//! What names may look like. Every function returns the texts of what is wrong, as upstream words
//! them (`k8s.io/apimachinery/pkg/util/validation`); an empty list means valid.
//!
//! Absent: which rule belongs to which kind; the kinds themselves say so.

use std::net::{IpAddr, Ipv4Addr};

mod charset;
mod keys;
mod ports;

pub use keys::{
    is_annotation_key, is_c_identifier, is_config_map_key, is_env_var_name, is_http_header_name, is_label_value,
    is_qualified_name, is_relaxed_env_var_name,
};
pub use ports::{
    is_in_range, is_valid_group_id, is_valid_percent, is_valid_port_name, is_valid_port_num, is_valid_user_id,
};

use charset::{is_label, is_subdomain};

/// How long a DNS label may be.
pub const LABEL_MAX: usize = 63;
/// How long a DNS subdomain may be.
pub const SUBDOMAIN_MAX: usize = 253;

const LABEL_RE: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_RE: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

/// `must be no more than N characters`.
fn too_long(limit: usize) -> String {
    format!("must be no more than {limit} characters")
}

/// The text of a failed pattern, with examples of what would match.
fn pattern(what: &str, pattern: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{what} (regex used for validation is '{pattern}')");
    }
    let examples = examples.iter().map(|e| format!("'{e}', ")).collect::<Vec<_>>().join(" or ");
    format!("{what} (e.g. {examples}regex used for validation is '{pattern}')")
}

/// A DNS label as RFC 1123 has it: most short names.
#[must_use]
pub fn is_dns1123_label(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > LABEL_MAX {
        faults.push(too_long(LABEL_MAX));
    }
    if !is_label(value) {
        faults.push(if is_subdomain(value) {
            "must not contain dots".into()
        } else {
            let what = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
            pattern(what, LABEL_RE, &["my-name", "123-abc"])
        });
    }
    faults
}

/// A DNS subdomain as RFC 1123 has it: the names of most objects.
#[must_use]
pub fn is_dns1123_subdomain(value: &str) -> Vec<String> {
    subdomain(value, too_long)
}

/// The prefix of a label key has the same rule but counts bytes in words.
fn subdomain(value: &str, limit_text: fn(usize) -> String) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        faults.push(limit_text(SUBDOMAIN_MAX));
    }
    if !is_subdomain(value) {
        let what = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
        faults.push(pattern(what, SUBDOMAIN_RE, &["example.com"]));
    }
    faults
}

/// A subdomain whose labels may hold underscores: DNS search paths.
#[must_use]
pub fn is_dns1123_subdomain_with_underscore(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        faults.push(too_long(SUBDOMAIN_MAX));
    }
    if !value.split('.').all(charset::is_underscore_label) {
        let what = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
        let label = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
        faults.push(pattern(what, &format!(r"{label}(\.{label})*"), &["example.com"]));
    }
    faults
}

/// A subdomain behind `*.`.
#[must_use]
pub fn is_wildcard_dns1123_subdomain(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_MAX {
        faults.push(too_long(SUBDOMAIN_MAX));
    }
    if !value.strip_prefix("*.").is_some_and(is_subdomain) {
        let what = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
        faults.push(pattern(what, &format!(r"\*\.{SUBDOMAIN_RE}"), &["*.example.com"]));
    }
    faults
}

/// A DNS label as RFC 1035 has it, which starts with a letter: services.
#[must_use]
pub fn is_dns1035_label(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > LABEL_MAX {
        faults.push(too_long(LABEL_MAX));
    }
    if !(is_label(value) && value.starts_with(|c: char| c.is_ascii_lowercase())) {
        let what = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
        faults.push(pattern(what, "[a-z]([-a-z0-9]*[a-z0-9])?", &["my-name", "abc-123"]));
    }
    faults
}

/// A name that fits between two slashes of a URL: RBAC kinds.
#[must_use]
pub fn is_path_segment_name(value: &str) -> Vec<String> {
    match value {
        "." | ".." => vec![format!("may not be '{value}'")],
        _ => is_path_segment_prefix(value),
    }
}

/// The beginning of such a name.
#[must_use]
pub fn is_path_segment_prefix(value: &str) -> Vec<String> {
    ["/", "%"].iter().filter(|c| value.contains(**c)).map(|c| format!("may not contain '{c}'")).collect()
}

/// An IP address that all programs read alike: no leading zeros, no IPv4 in the clothes of IPv6.
#[must_use]
pub fn is_valid_ip(value: &str) -> Vec<String> {
    let fault = match value.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => "must not be an IPv4-mapped IPv6 address",
        Ok(_) => return Vec::new(),
        Err(_) if without_zeros(value).parse::<Ipv4Addr>().is_ok() => "must not have leading 0s",
        Err(_) => "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
    };
    vec![fault.into()]
}

fn without_zeros(value: &str) -> String {
    let plain = |part: &str| match part.trim_start_matches('0') {
        "" if part.is_empty() => String::new(),
        "" => "0".into(),
        rest => rest.to_owned(),
    };
    value.split('.').map(plain).collect::<Vec<_>>().join(".")
}

/// A network in CIDR notation.
#[must_use]
pub fn is_valid_cidr(value: &str) -> Vec<String> {
    let fits = value.split_once('/').is_some_and(|(address, bits)| {
        let plain = bits.len() < 4 && !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
        let bits: u8 = bits.parse().unwrap_or(u8::MAX);
        plain && address.parse::<IpAddr>().is_ok_and(|a| bits <= if a.is_ipv4() { 32 } else { 128 })
    });
    if fits { Vec::new() } else { vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".into()] }
}

#[cfg(test)]
mod tests;
