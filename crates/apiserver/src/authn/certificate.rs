//! Client certificates: the common name is the user, the organizations are its groups. TLS has already
//! verified the chain; that a certificate has not ended since is looked at with each request, because connections
//! may last for ever.

use std::collections::HashMap;

use futures::future::{BoxFuture, FutureExt, ready};
use nakhoda_api::Status;
use parking_lot::Mutex;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::Authenticator;
use super::authority::Authority;
use crate::request::Caller;
use crate::user::{AUTHENTICATED, User};

/// The key under which a user's credential is told, so that its traces can be followed.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// Of so many certificates the users are remembered.
const REMEMBERED: usize = 4096;

/// The authenticator. A certificate is read once: each request of its holder shows it again.
#[derive(Default)]
pub struct Certificates {
    /// Whose certificates name users. Nothing if TLS lets in no others.
    authority: Option<Authority>,
    known: Mutex<HashMap<CertificateDer<'static>, Holder>>,
}

/// Whom a certificate names, if anybody, and until when.
#[derive(Clone)]
struct Holder {
    user: Option<User>,
    until: ASN1Time,
}

impl Authenticator for Certificates {
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>> {
        let ours = self.authority.as_ref().is_none_or(|authority| authority.issued(&caller.certificates));
        let user = |certificate| self.holder(certificate)?.at(ASN1Time::now());
        ready(caller.certificates.first().filter(|_| ours).map_or(Ok(None), user)).boxed()
    }
}

// === impl Certificates ===

impl Certificates {
    /// Those of one CA, where TLS lets in others too.
    #[must_use]
    pub fn of(authority: Authority) -> Self {
        Self { authority: Some(authority), known: Mutex::default() }
    }

    fn holder(&self, certificate: &CertificateDer<'static>) -> Result<Holder, Status> {
        if let Some(holder) = self.known.lock().get(certificate) {
            return Ok(holder.clone());
        }
        let holder = Holder::read(certificate)?;
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(certificate.clone(), holder.clone());
        Ok(holder)
    }
}

// === impl Holder ===

impl Holder {
    fn read(der: &[u8]) -> Result<Self, Status> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Status::unauthorized())?;
        Ok(Self { user: subject(&certificate, der), until: certificate.validity().not_after })
    }

    /// The user, if the certificate has not ended.
    fn at(self, now: ASN1Time) -> Result<Option<User>, Status> {
        if self.until < now { Err(Status::unauthorized()) } else { Ok(self.user) }
    }
}

fn subject(certificate: &X509Certificate<'_>, der: &[u8]) -> Option<User> {
    let name = certificate.subject();
    let texts = |values: &mut dyn Iterator<Item = &x509_parser::x509::AttributeTypeAndValue<'_>>| {
        values.filter_map(|v| v.as_str().ok()).map(str::to_owned).collect::<Vec<_>>()
    };
    let user = texts(&mut name.iter_common_name()).into_iter().next()?;
    let mut groups = texts(&mut name.iter_organization());
    groups.push(AUTHENTICATED.into());
    let digest: String = Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    let extra = [(CREDENTIAL.to_owned(), vec![format!("X509SHA256={digest}")])].into();
    Some(User { name: user, groups, extra, ..User::default() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nakhoda_daemon::pki::{Authority, Profile};
    use x509_parser::pem::Pem;

    use super::*;

    #[test]
    fn a_certificate_that_has_ended_names_nobody() {
        nakhoda_daemon::install_crypto();
        let folder = std::env::temp_dir().join(format!("nakhoda-ended-{}", std::process::id()));
        let authority = Authority::create("ca", &folder.join("ca.crt"), &folder.join("ca.key")).expect("made");
        let (pem, _) = authority.issue(&Profile::client("jane", &["dev"]), Duration::from_secs(60)).expect("issued");
        let der = Pem::iter_from_buffer(pem.as_bytes()).next().expect("one").expect("PEM").contents;
        let later = |seconds| {
            let now = ASN1Time::now().timestamp();
            Holder::read(&der)?.at(ASN1Time::from_timestamp(now + seconds).expect("a time"))
        };
        let jane = later(30).expect("in force").expect("a user");
        assert_eq!((jane.name.as_str(), jane.groups[0].as_str()), ("jane", "dev"));
        assert!(later(90).is_err_and(|status| status.code == 401));
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
