//! Certificates and authorities from files, read again when the files change, for servers and for clients.
//!
//! A renewed file takes effect on the next connection; one that cannot be read leaves the old
//! certificate in use and is told in the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::file::{self, Unreadable};
use crate::tasks::Tasks;

pub mod several;
mod signatures;
pub mod trust;
pub mod unchecked;

use trust::{Callers, Servers};

/// How often the files' times are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
    /// A file is not PEM, or holds no certificate or key.
    #[error("{path} holds no PEM certificate or key")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A CA file holds nothing that can be trusted.
    #[error("{path} holds no certificate")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// The certificate and the key do not belong together, or are unusable.
    #[error("the certificate or key cannot be used")]
    Rustls(#[from] rustls::Error),
    /// The authorities cannot be used.
    #[error("the CA cannot be used")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// A certificate chain and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The chain, leaf first.
    pub cert: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

/// A certificate and a key in files, kept fresh.
#[derive(Debug)]
pub struct Files {
    cert: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

// === impl KeyPair ===

impl KeyPair {
    /// Reads both files.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self { cert: read(cert)?, key: read(key)? })
    }

    fn certified(&self, origin: &Path) -> Result<CertifiedKey, TlsError> {
        let pem = |source| TlsError::Pem { path: origin.into(), source };
        let chain = CertificateDer::pem_slice_iter(&self.cert).collect::<Result<Vec<_>, _>>().map_err(pem)?;
        if chain.is_empty() {
            return Err(TlsError::Empty { path: origin.into() });
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(pem)?;
        Ok(CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?)
    }
}

// === impl Files ===

impl Files {
    /// Reads the files now.
    pub fn load(cert: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let certified = KeyPair::read(cert, key)?.certified(cert)?;
        Ok(Arc::new(Self { cert: cert.into(), key: key.into(), current: ArcSwap::from_pointee(certified) }))
    }

    /// The chain and key in use now.
    #[must_use]
    pub fn current(&self) -> Arc<CertifiedKey> {
        self.current.load_full()
    }

    /// Reads the files again whenever their times change.
    pub fn keep_fresh(self: &Arc<Self>, tasks: &Tasks) {
        let files = self.clone();
        tasks.spawn(format!("certificate {}", self.cert.display()), async move {
            let mut seen = files.times();
            let mut look = tokio::time::interval(LOOK);
            loop {
                look.tick().await;
                let now = files.times();
                if now != seen {
                    seen = now;
                    files.reload();
                }
            }
        });
    }

    fn reload(&self) {
        match KeyPair::read(&self.cert, &self.key).and_then(|pair| pair.certified(&self.cert)) {
            Ok(certified) => {
                self.current.store(Arc::new(certified));
                tracing::info!(file = %self.cert.display(), "certificate reloaded");
            }
            Err(error) => {
                tracing::warn!(file = %self.cert.display(), error = %chain(&error), "the old certificate stays")
            }
        }
    }

    fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.cert, &self.key].map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl rustls::client::ResolvesClientCert for Files {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The trusted CAs in a PEM file.
pub fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    roots_from_pem(&read(path)?, path)
}

/// The trusted CAs in PEM bytes; `origin` is told in errors.
pub fn roots_from_pem(pem: &[u8], origin: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(pem) {
        store.add(cert.map_err(|source| TlsError::Pem { path: origin.into(), source })?)?;
    }
    if store.is_empty() {
        return Err(TlsError::Empty { path: origin.into() });
    }
    Ok(store)
}

/// A server that speaks h2 and http/1.1 and asks clients for a certificate of `client_ca`, but lets
/// those in who have none: other authenticators come later in the pipeline.
pub fn server(identity: Arc<Files>, client_ca: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let callers = Callers::load(client_ca)?;
    server_of(identity, callers)
}

/// The same, by whoever judges callers.
pub fn server_of(
    identity: Arc<Files>,
    callers: Arc<dyn rustls::server::danger::ClientCertVerifier>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder().with_client_cert_verifier(callers).with_cert_resolver(identity);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A client that trusts `roots` and shows `identity` if there is one.
#[must_use]
pub fn client(roots: RootCertStore, identity: Option<Arc<Files>>, alpn: &[&[u8]]) -> ClientConfig {
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match identity {
        Some(files) => builder.with_client_cert_resolver(files),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    config
}

/// A client that trusts the authorities in a file as it is when it connects, and shows `identity`.
pub fn client_by(authority: &Path, identity: Arc<Files>, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(Servers::load(authority)?);
    let mut config = builder.with_client_cert_resolver(identity);
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Ok(config)
}

/// A client whose certificate and key come as PEM bytes, for example out of a kubeconfig.
pub fn client_with(roots: RootCertStore, pair: &KeyPair, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
    let certified = pair.certified(Path::new("kubeconfig"))?;
    let resolver = rustls::sign::SingleCertAndKey::from(certified);
    let mut config =
        ClientConfig::builder().with_root_certificates(roots).with_client_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Ok(config)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    Ok(file::bytes(path)?)
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
