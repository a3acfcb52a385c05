//! [`Trust`]: the authorities in a file, read again when it changes, so that an authority can be added or dropped
//! while connections are made. A file that cannot be read leaves the old ones in force.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DistinguishedName, Error, RootCertStore};

use super::signatures::signatures_judged_by;
use super::{TlsError, chain, roots};

/// Judges certificates by a file of authorities.
pub struct Trust<V: ?Sized> {
    path: PathBuf,
    judge: fn(Arc<RootCertStore>) -> Result<Arc<V>, TlsError>,
    current: Mutex<(Option<SystemTime>, Arc<V>)>,
}

/// Judges who calls a server; those who show no certificate are let in.
pub type Callers = Trust<dyn ClientCertVerifier>;
/// Judges the server that a client calls.
pub type Servers = Trust<WebPkiServerVerifier>;

// === impl Trust ===

impl Callers {
    /// By this file.
    pub fn load(path: &Path) -> Result<Arc<Self>, TlsError> {
        Trust::new(path, |roots| Ok(WebPkiClientVerifier::builder(roots).allow_unauthenticated().build()?))
    }
}

impl Servers {
    /// By this file.
    pub fn load(path: &Path) -> Result<Arc<Self>, TlsError> {
        Self::new(path, |roots| Ok(WebPkiServerVerifier::builder(roots).build()?))
    }
}

impl<V: ?Sized> Trust<V> {
    fn new(path: &Path, judge: fn(Arc<RootCertStore>) -> Result<Arc<V>, TlsError>) -> Result<Arc<Self>, TlsError> {
        let time = time(path);
        let first = judge(Arc::new(roots(path)?))?;
        Ok(Arc::new(Self { path: path.into(), judge, current: Mutex::new((time, first)) }))
    }

    fn current(&self) -> Arc<V> {
        let mut current = self.current.lock();
        let now = time(&self.path);
        if now != current.0 {
            match roots(&self.path).and_then(|roots| (self.judge)(Arc::new(roots))) {
                Ok(judge) => *current = (now, judge),
                Err(error) => {
                    tracing::warn!(file = %self.path.display(), error = %chain(&error), "the old authorities stay");
                }
            }
        }
        current.1.clone()
    }
}

impl<V: ?Sized> fmt::Debug for Trust<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("path", &self.path).finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Callers {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: what it would borrow may be replaced at any time. Clients show what they have.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.current().verify_client_cert(leaf, others, now)
    }

    signatures_judged_by!(self => self.current());
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.current().verify_server_cert(leaf, others, name, ocsp, now)
    }

    signatures_judged_by!(self => self.current());
}

fn time(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::{Authority, Profile};

    #[test]
    fn an_authority_counts_from_when_it_is_in_the_file_until_it_is_dropped() {
        crate::install_crypto();
        let folder = std::env::temp_dir().join(format!("nakhoda-trust-{}", std::process::id()));
        let make = |name: &str| {
            Authority::create(name, &folder.join(format!("{name}.crt")), &folder.join(format!("{name}.key")))
                .expect("made")
        };
        let (old, new) = (make("old"), make("new"));
        let file = folder.join("trusted.crt");
        let write = |text: String| crate::pki::write_private(&file, text.as_bytes()).expect("written");
        write(old.certificate().into());
        let trust = Callers::load(&file).expect("loaded");
        let believes = |authority: &Authority| {
            let (leaf, _) = authority.issue(&Profile::client("me", &[]), crate::pki::DAY).expect("issued");
            let leaf = rustls::pki_types::pem::PemObject::from_pem_slice(leaf.as_bytes()).expect("PEM");
            trust.verify_client_cert(&leaf, &[], UnixTime::now()).is_ok()
        };
        assert!(believes(&old) && !believes(&new));
        write(format!("{}{}", old.certificate(), new.certificate()));
        assert!(believes(&old) && believes(&new));
        write("nothing".into());
        assert!(believes(&old) && believes(&new));
        write(new.certificate().into());
        assert!(!believes(&old) && believes(&new));
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
