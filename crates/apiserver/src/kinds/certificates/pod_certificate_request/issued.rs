//! A certificate that was given: for the key that asked, and as long as the status says.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::{PodCertificateRequest, PodCertificateRequestStatus};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::time::ASN1Time;

use super::request;
use crate::rules::check::text;

const LONGEST: usize = 100 << 10;
const NEAR: SignedDuration = SignedDuration::from_mins(5);
const MARGIN: SignedDuration = SignedDuration::from_mins(10);
const SHORTEST: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn validate(
    errors: &mut Errors,
    now: Timestamp,
    request: &PodCertificateRequest,
    status: &PodCertificateRequestStatus,
) {
    let (path, chain) = (Path::new("status.certificateChain"), text(&status.certificate_chain));
    if chain.len() > LONGEST {
        return errors.too_long(&path, LONGEST);
    }
    let blocks: Vec<Pem> = Pem::iter_from_buffer(chain.as_bytes()).map_while(Result::ok).collect();
    let Some((first, rest)) = blocks.split_first() else {
        return errors.invalid(&path, chain, "issued certificate chain must contain at least one certificate");
    };
    if first.label != "CERTIFICATE" {
        let why = "issued certificate chain must consist entirely of CERTIFICATE PEM blocks";
        return errors.invalid(&path, chain, why);
    }
    let Ok(leaf) = first.parse_x509() else {
        return errors.invalid(&path, chain, "leaf certificate does not parse as valid X.509");
    };
    names(errors, &path, &leaf);
    if request::key(&request.spec.stub_pkc_s10_request.0).as_deref() != Some(leaf.public_key().raw) {
        return errors.invalid(&path, chain, "leaf certificate was not issued to the requested public key");
    }
    if !times(errors, now, request, status, &leaf) {
        return;
    }
    for block in rest {
        if block.label != "CERTIFICATE" {
            let why = "issued certificate chain must consist entirely of CERTFICATE PEM blocks";
            return errors.invalid(&path, chain, why);
        }
        if block.parse_x509().is_err() {
            return errors.invalid(&path, chain, "intermediate certificate does not parse as valid X.509");
        }
    }
}

fn names(errors: &mut Errors, path: &Path, leaf: &X509Certificate<'_>) {
    let Ok(Some(names)) = leaf.subject_alternative_name() else { return };
    for name in &names.value.general_names {
        match name {
            GeneralName::DNSName("") => {
                errors.invalid(path, "", "leaf certificate should not contain empty DNSName");
            }
            GeneralName::DNSName(dns) => {
                if dns.contains("..") {
                    errors.invalid(path, *dns, "leaf certificate's DNSName should not contain '..'");
                }
                if dns.starts_with('.') || dns.ends_with('.') {
                    errors.invalid(path, *dns, "leaf certificate's DNSName should not start or end with '.'");
                }
            }
            GeneralName::RFC822Name(mail) if !mail.contains('@') => {
                errors.invalid(path, *mail, "leaf certificate should not contain invalid EmailAddress");
            }
            _ => {}
        }
    }
}

/// Whether the status says of the certificate what is true, and that is within what was asked.
fn times(
    errors: &mut Errors,
    now: Timestamp,
    request: &PodCertificateRequest,
    status: &PodCertificateRequestStatus,
    leaf: &X509Certificate<'_>,
) -> bool {
    let at = |field: &str| Path::new("status").child(field);
    let (not_before, not_after, refresh) = (at("notBefore"), at("notAfter"), at("beginRefreshAt"));
    let consistent = "must be present and consistent with the issued certificate";
    let told = (status.not_before.as_ref(), status.not_after.as_ref(), status.begin_refresh_at.as_ref());
    let (Some(begin), Some(end), Some(again)) = told else {
        for (missing, path, why) in [
            (told.0.is_none(), &not_before, consistent),
            (told.1.is_none(), &not_after, consistent),
            (told.2.is_none(), &refresh, "must be present and in the range [notbefore+10min, notafter-10min]"),
        ] {
            if missing {
                errors.required(path, why);
            }
        }
        return false;
    };
    let (begin, end, again) = (begin.0, end.0, again.0);
    let (own_begin, own_end) = (time(&leaf.validity().not_before), time(&leaf.validity().not_after));
    let (life, most) = (end.duration_since(begin), request.spec.max_expiration_seconds.unwrap_or_default());
    let longest = SignedDuration::from_secs(most.into());
    let chain = at("certificateChain");
    let fault = if own_begin != Some(begin) {
        (&not_before, shown(begin), "must be set to the NotBefore time encoded in the leaf certificate".to_owned())
    } else if begin.duration_since(now).abs() >= NEAR {
        (&not_before, shown(begin), "must be set to within 5 minutes of kube-apiserver's current time".into())
    } else if own_end != Some(end) {
        (&not_after, shown(end), "must be set to the NotAfter time encoded in the leaf certificate".into())
    } else if life < SHORTEST {
        (&chain, format!("{}s", life.as_secs()), "leaf certificate lifetime must be >= 1 hour".into())
    } else if life > longest {
        let why = format!("leaf certificate lifetime must be <= spec.maxExpirationSeconds ({most})");
        (&chain, format!("{}s", life.as_secs()), why)
    } else if again.duration_since(begin) < MARGIN {
        (&refresh, shown(again), "must be at least 10 minutes after status.notBefore".into())
    } else if end.duration_since(again) < MARGIN {
        (&refresh, shown(again), "must be at least 10 minutes before status.notAfter".into())
    } else {
        return true;
    };
    errors.invalid(fault.0, fault.1, fault.2);
    false
}

fn time(time: &ASN1Time) -> Option<Timestamp> {
    Timestamp::from_second(time.timestamp()).ok()
}

/// As Go prints a time.
fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
}
