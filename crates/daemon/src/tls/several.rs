//! [`Several`]: callers of any of several files of authorities are let in.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, Error};

use super::signatures::signatures_judged_by;
use super::trust::Callers;

/// Judges who calls a server by a first file, and by further ones.
#[derive(Debug)]
pub struct Several {
    first: Arc<Callers>,
    others: Vec<Arc<Callers>>,
}

// === impl Several ===

impl Several {
    /// By these files.
    #[must_use]
    pub fn new(first: Arc<Callers>, others: Vec<Arc<Callers>>) -> Arc<Self> {
        Arc::new(Self { first, others })
    }
}

impl ClientCertVerifier for Several {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let judged = self.first.verify_client_cert(leaf, others, now);
        judged.or_else(|error| {
            let mut further = self.others.iter().map(|callers| callers.verify_client_cert(leaf, others, now));
            further.find_map(Result::ok).ok_or(error)
        })
    }

    signatures_judged_by!(self => self.first);
}
