//! The request itself: a PKCS#10 block that is signed by the key it asks a certificate for.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::CertificateSigningRequestSpec;
use nakhoda_api::names;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509CertificationRequest};

use crate::rules::check::{list, supported};

/// Usages that there are, sorted.
const USAGES: &[&str] = &[
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];
const LEGACY: &str = "kubernetes.io/legacy-unknown";

pub(super) fn validate(errors: &mut Errors, path: &Path, spec: &CertificateSigningRequestSpec) {
    if let Err(why) = signed(&spec.request.0) {
        let shown = serde_json::to_value(&spec.request).unwrap_or_default();
        errors.invalid(&path.child("request"), shown, why);
    }
    let (usages, at) = (list(&spec.usages), path.child("usages"));
    if usages.is_empty() {
        errors.required(&at, "");
    }
    for (i, usage) in usages.iter().enumerate() {
        supported(errors, &at.index(i), usage, USAGES);
    }
    for (i, usage) in usages.iter().enumerate().filter(|(i, u)| usages[..*i].contains(u)) {
        errors.duplicate(&at.index(i), usage.as_str());
    }
    signer(errors, &path.child("signerName"), &spec.signer_name);
    if let Some(seconds) = spec.expiration_seconds.filter(|s| *s < 600) {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        errors.invalid(&path.child("expirationSeconds"), seconds, why);
    }
}

fn signed(bytes: &[u8]) -> Result<(), String> {
    let pem = block(bytes)?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).map_err(|e| e.to_string())?;
    request.verify_signature().map_err(|e| e.to_string())
}

/// The organizations of the subject that the request asks for: groups, where the certificate is a user's.
pub(crate) fn organizations(bytes: &[u8]) -> Result<Vec<String>, String> {
    let pem = block(bytes)?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).map_err(|e| e.to_string())?;
    let subject = &request.certification_request_info.subject;
    Ok(subject.iter_organization().filter_map(|one| one.as_str().ok()).map(str::to_owned).collect())
}

/// The common name of that subject: the user's name, where the certificate is a user's.
pub(crate) fn common_name(bytes: &[u8]) -> Result<String, String> {
    let pem = block(bytes)?;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).map_err(|e| e.to_string())?;
    let mut names = request.certification_request_info.subject.iter_common_name();
    Ok(names.next().and_then(|name| name.as_str().ok()).unwrap_or_default().to_owned())
}

fn block(bytes: &[u8]) -> Result<Pem, String> {
    let first = Pem::iter_from_buffer(bytes).next().and_then(Result::ok);
    let right = first.filter(|pem| pem.label == "CERTIFICATE REQUEST");
    right.ok_or_else(|| "PEM block type must be CERTIFICATE REQUEST".to_owned())
}

fn signer(errors: &mut Errors, path: &Path, name: &str) {
    if name == LEGACY {
        return errors.invalid(path, name, "the legacy signerName is not allowed via this API version");
    }
    domain_and_path(errors, path, name);
}

/// A signer's name: a domain, a slash, and a path of names.
pub(crate) fn domain_and_path(errors: &mut Errors, path: &Path, name: &str) {
    if name.is_empty() {
        return errors.required(path, "");
    }
    let Some((domain, rest)) = name.split_once('/').filter(|(_, rest)| !rest.contains('/')) else {
        let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return errors.invalid(path, name, why);
    };
    let mut faults = names::is_dns1123_subdomain(domain);
    for part in rest.split('.').filter(|p| !names::is_dns1123_label(p).is_empty()) {
        faults.push(format!("validating label {part:?}: {}", names::is_dns1123_subdomain(part).join(", ")));
    }
    if !domain.contains('.') {
        faults.push("should be a domain with at least two segments separated by dots".into());
    }
    for fault in faults {
        errors.invalid(path, name, fault);
    }
}

/// PEM blocks with certificates and nothing else.
pub(super) fn certificate(errors: &mut Errors, path: &Path, bytes: &[u8]) {
    let mut blocks = 0;
    let mut fault = None;
    for pem in Pem::iter_from_buffer(bytes).map_while(Result::ok) {
        blocks += 1;
        fault = match pem.parse_x509() {
            _ if pem.label != "CERTIFICATE" => {
                Some(format!("only CERTIFICATE PEM blocks are allowed, found {:?}", pem.label))
            }
            Err(error) => Some(error.to_string()),
            Ok(_) => fault,
        };
    }
    if blocks == 0 {
        fault = Some("must contain at least one CERTIFICATE PEM block".into());
    }
    if let Some(why) = fault {
        errors.invalid(path, "<certificate data>", why);
    }
}
