//! What is asked for, and the proof that who asks has the key: a PKCS#10 request signed by it.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::PodCertificateRequestSpec;
use nakhoda_api::names;
use x509_parser::prelude::{FromDer, X509CertificationRequest};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::super::certificate_signing_request::signer;
use crate::rules::check::each;

const LONGEST_UID: usize = 128;
const SHORTEST_LIFE: i32 = 3600;
const LONGEST_LIFE: i32 = 91 * 86_400;
/// The same for signers of Kubernetes itself.
const LONGEST_OWN_LIFE: i32 = 86_400;
const LARGEST: usize = 10 << 10;
const ANNOTATIONS: usize = 256 << 10;
const ED25519: &str = "1.3.101.112";
const CURVES: [&str; 3] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

pub(super) fn validate(errors: &mut Errors, path: &Path, spec: &PodCertificateRequestSpec) {
    signer(errors, &path.child("signerName"), &spec.signer_name);
    annotations(errors, &path.child("unverifiedUserAnnotations"), spec);
    for (name, uid, field) in [
        (&spec.pod_name, &spec.pod_uid, "pod"),
        (&spec.service_account_name, &spec.service_account_uid, "serviceAccount"),
        (&spec.node_name, &spec.node_uid, "node"),
    ] {
        let faults = names::is_dns1123_subdomain(name);
        each(errors, &path.child(&format!("{field}Name")), name.as_str(), faults);
        let at = path.child(&format!("{field}UID"));
        if uid.is_empty() {
            errors.invalid(&at, "", "must not be empty");
        }
        if uid.len() > LONGEST_UID {
            errors.too_long(&at, LONGEST_UID);
        }
    }
    let at = path.child("maxExpirationSeconds");
    let Some(seconds) = spec.max_expiration_seconds else { return errors.required(&at, "must be set") };
    let most = if is_own(&spec.signer_name) { LONGEST_OWN_LIFE } else { LONGEST_LIFE };
    if !(SHORTEST_LIFE..=most).contains(&seconds) {
        errors.invalid(&at, seconds, format!("must be in the range [{SHORTEST_LIFE}, {most}]"));
    }
    proof(errors, path, &spec.stub_pkc_s10_request.0);
}

fn annotations(errors: &mut Errors, path: &Path, spec: &PodCertificateRequestSpec) {
    let Some(annotations) = &spec.unverified_user_annotations else { return };
    for key in annotations.keys().map(|key| key.to_lowercase()) {
        let faults = names::is_qualified_name(&key);
        if key.is_empty() {
            errors.required(path, "");
        } else if !faults.is_empty() {
            each(errors, path, key, faults);
        } else if !key.contains('/') {
            errors.invalid(path, key, r#"must be a domain-prefixed key (such as "acme.io/foo")"#);
        }
    }
    if annotations.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > ANNOTATIONS {
        errors.too_long(path, ANNOTATIONS);
    }
}

/// Whether a signer is one of Kubernetes itself.
fn is_own(signer: &str) -> bool {
    let host = signer.split('/').next().unwrap_or_default();
    host == "kubernetes.io" || host.ends_with(".kubernetes.io")
}

fn proof(errors: &mut Errors, spec: &Path, stub: &[u8]) {
    if stub.is_empty() {
        let why = "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set";
        return errors.unfit(spec, why);
    }
    let path = spec.child("stubPKCS10Request");
    if stub.len() > LARGEST {
        return errors.too_long(&path, LARGEST);
    }
    let Ok((_, request)) = X509CertificationRequest::from_der(stub) else {
        return errors.unfit(&path, "must be a valid PKCS#10 CSR");
    };
    match weakness(&request.certification_request_info.subject_pki) {
        Some((Some(shown), why)) => errors.invalid(&path, shown, why),
        Some((None, why)) => errors.unfit(&path, why),
        None if request.verify_signature().is_err() => errors.unfit(&path, "invalid signature"),
        None => {}
    }
}

/// Why a key may not be used, and what is shown of it.
fn weakness(key: &SubjectPublicKeyInfo<'_>) -> Option<(Option<String>, &'static str)> {
    const UNKNOWN: &str = "unknown public key type; supported types are Ed25519, ECDSA, and RSA";
    if key.algorithm.algorithm.to_id_string() == ED25519 {
        return None;
    }
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let bits = rsa.key_size();
            let why = "RSA keys must have modulus size 3072 or 4096";
            (!matches!(bits, 3072 | 4096)).then(|| (Some(format!("{bits}-bit modulus")), why))
        }
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok())?.to_id_string();
            let why = "elliptic public keys must use curve P256, P384, or P521";
            (!CURVES.contains(&curve.as_str())).then(|| (Some(format!("curve {curve}")), why))
        }
        _ => Some((None, UNKNOWN)),
    }
}

/// The key that a request proves to have, in DER.
pub(super) fn key(stub: &[u8]) -> Option<Vec<u8>> {
    let (_, request) = X509CertificationRequest::from_der(stub).ok()?;
    Some(request.certification_request_info.subject_pki.raw.to_vec())
}
