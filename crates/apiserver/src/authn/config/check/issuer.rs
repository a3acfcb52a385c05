//! Of an issuer: its addresses, its audiences, its certificates.

use std::collections::BTreeSet;

use nakhoda_api::field::{Errors, Path};
use nakhoda_daemon::tls;

use crate::authn::config::Issuer;

/// The only policy there is.
const MATCH_ANY: &str = "MatchAny";

pub(super) fn check(errors: &mut Errors, path: &Path, issuer: &Issuer, disallowed: &[String]) {
    let at = path.child("url");
    if issuer.url.is_empty() {
        errors.required(&at, "");
    } else {
        if disallowed.contains(&issuer.url) {
            let why = format!("URL must not overlap with disallowed issuers: [{}]", disallowed.join(" "));
            errors.invalid(&at, issuer.url.as_str(), why);
        }
        url(errors, &at, &issuer.url);
    }
    if !issuer.discovery_url.is_empty() {
        let (at, given) = (path.child("discoveryURL"), issuer.discovery_url.as_str());
        if !issuer.url.is_empty() && issuer.url.trim_end_matches('/') == given.trim_end_matches('/') {
            errors.invalid(&at, given, "discoveryURL must be different from URL");
        }
        url(errors, &at, given);
    }
    audiences(errors, path, issuer);
    let ca = issuer.certificate_authority.as_bytes();
    if !ca.is_empty() && tls::roots_from_pem(ca, "certificateAuthority".as_ref()).is_err() {
        let why = "data does not contain any valid RSA or ECDSA certificates";
        errors.invalid(&path.child("certificateAuthority"), "<omitted>", why);
    }
    let at = path.child("egressSelectorType");
    match issuer.egress_selector_type.as_str() {
        "" => {}
        "controlplane" | "cluster" => errors.forbidden(&at, "egress selectors are not available here"),
        other => errors.invalid(&at, other, "egress selector must be either controlplane or cluster"),
    }
}

fn url(errors: &mut Errors, path: &Path, text: &str) {
    if text.starts_with(':') {
        return errors.invalid(path, text, format!("parse {text:?}: missing protocol scheme"));
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = rest.split_once("://").unwrap_or(("", rest));
    let authority = rest.split('/').next().unwrap_or_default();
    let faults = [
        (!scheme.eq_ignore_ascii_case("https"), "URL scheme must be https"),
        (authority.contains('@'), "URL must not contain a username or password"),
        (!query.is_empty(), "URL must not contain a query"),
        (!fragment.is_empty(), "URL must not contain a fragment"),
    ];
    for (_, why) in faults.into_iter().filter(|(is, _)| *is) {
        errors.invalid(path, text, why);
    }
}

fn audiences(errors: &mut Errors, path: &Path, issuer: &Issuer) {
    let at = path.child("audiences");
    if issuer.audiences.is_empty() {
        return errors.required(&at, format!("at least one {at} is required"));
    }
    let mut seen = BTreeSet::new();
    for (index, audience) in issuer.audiences.iter().enumerate() {
        if audience.is_empty() {
            errors.required(&at.index(index), "");
        }
        if !seen.insert(audience) {
            errors.duplicate(&at.index(index), audience.as_str());
        }
    }
    let (at, policy) = (path.child("audienceMatchPolicy"), issuer.audience_match_policy.as_str());
    if issuer.audiences.len() > 1 && policy != MATCH_ANY {
        errors.invalid(&at, policy, "audienceMatchPolicy must be MatchAny for multiple audiences");
    }
    if issuer.audiences.len() == 1 && !policy.is_empty() && policy != MATCH_ANY {
        errors.invalid(&at, policy, "audienceMatchPolicy must be empty or MatchAny for single audience");
    }
}
