//! Which CA a client's certificate is of, where TLS lets in those of several.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_daemon::tls::TlsError;
use nakhoda_daemon::tls::trust::Callers;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};

use crate::expiring::Expiring;

/// How long it is remembered of a certificate.
const GOOD_FOR: Duration = Duration::from_secs(60);
/// Of how many.
const KNOWN: usize = 4096;

/// A CA.
pub struct Authority {
    callers: Arc<Callers>,
    known: Expiring<[u8; 32], bool>,
}

// === impl Authority ===

impl Authority {
    /// The CAs in a PEM file, read again when it changes.
    pub fn read(path: &Path) -> Result<Self, TlsError> {
        Ok(Self { callers: Callers::load(path)?, known: Expiring::new(KNOWN) })
    }

    /// Whether a chain, leaf first, is of this CA and in force.
    #[must_use]
    pub fn issued(&self, chain: &[CertificateDer<'_>]) -> bool {
        let Some((leaf, others)) = chain.split_first() else { return false };
        let key: [u8; 32] = Sha256::digest(leaf).into();
        if let Some(known) = self.known.get(&key) {
            return known;
        }
        let issued = self.callers.verify_client_cert(leaf, others, UnixTime::now()).is_ok();
        self.known.put(key, issued, GOOD_FOR);
        issued
    }
}
