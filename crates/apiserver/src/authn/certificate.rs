//! Client certificates: the common name is the user, the organizations are its groups. TLS has already
//! verified the chain.

use std::collections::HashMap;

use futures::future::{BoxFuture, FutureExt, ready};
use nakhoda_api::Status;
use parking_lot::Mutex;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Authenticator;
use crate::request::Caller;
use crate::user::{AUTHENTICATED, User};

/// The key under which a user's credential is told, so that its traces can be followed.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// Of so many certificates the users are remembered.
const REMEMBERED: usize = 4096;

/// The authenticator. A certificate is read once: each request of its holder shows it again.
#[derive(Default)]
pub struct Certificates {
    known: Mutex<HashMap<CertificateDer<'static>, User>>,
}

impl Authenticator for Certificates {
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>> {
        ready(caller.certificates.first().map(|certificate| self.user(certificate)).transpose()).boxed()
    }
}

// === impl Certificates ===

impl Certificates {
    fn user(&self, certificate: &CertificateDer<'static>) -> Result<User, Status> {
        if let Some(user) = self.known.lock().get(certificate) {
            return Ok(user.clone());
        }
        let user = subject(certificate)?;
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(certificate.clone(), user.clone());
        Ok(user)
    }
}

fn subject(der: &[u8]) -> Result<User, Status> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Status::unauthorized())?;
    let name = certificate.subject();
    let texts = |values: &mut dyn Iterator<Item = &x509_parser::x509::AttributeTypeAndValue<'_>>| {
        values.filter_map(|v| v.as_str().ok()).map(str::to_owned).collect::<Vec<_>>()
    };
    let user = texts(&mut name.iter_common_name()).into_iter().next().ok_or_else(Status::unauthorized)?;
    let mut groups = texts(&mut name.iter_organization());
    groups.push(AUTHENTICATED.into());
    let digest: String = Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    let extra = [(CREDENTIAL.to_owned(), vec![format!("X509SHA256={digest}")])].into();
    Ok(User { name: user, groups, extra, ..User::default() })
}
