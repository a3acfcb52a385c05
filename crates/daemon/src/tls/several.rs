//! [`Several`]: callers of any of several files of authorities are let in.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

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

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.first.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.first.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.first.supported_verify_schemes()
    }
}
