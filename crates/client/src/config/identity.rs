//! [`Identity`]: whom a client trusts and what it shows, read again when a file changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use nakhoda_daemon::tls::{self, KeyPair, TlsError};
use nakhoda_rpc::transport::Tls;
use parking_lot::Mutex;
use rustls::ClientConfig;

use super::ConfigError;

const ALPN: &[&[u8]] = &[b"h2"];

/// PEM bytes, or the file that holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// In place.
    Data(Vec<u8>),
    /// In a file, which may change.
    File(PathBuf),
}

/// The TLS side of a configuration. Each new connection looks at the files' times; a file that has
/// become unreadable leaves the old certificates in use.
pub struct Identity {
    authority: Material,
    pair: Option<(Material, Material)>,
    current: Mutex<(Times, Arc<ClientConfig>)>,
}

type Times = [Option<SystemTime>; 3];

// === impl Material ===

impl Material {
    fn read(&self) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::Data(bytes) => Ok(bytes.clone()),
            Self::File(path) => std::fs::read(path).map_err(|source| TlsError::Read { path: path.clone(), source }),
        }
    }

    fn origin(&self) -> &Path {
        match self {
            Self::Data(_) => Path::new("the data in the kubeconfig"),
            Self::File(path) => path,
        }
    }

    fn time(&self) -> Option<SystemTime> {
        match self {
            Self::Data(_) => None,
            Self::File(path) => std::fs::metadata(path).and_then(|m| m.modified()).ok(),
        }
    }
}

// === impl Identity ===

impl Identity {
    /// Reads everything once; `origin` is the file that named it.
    pub fn new(origin: &Path, authority: Material, pair: Option<(Material, Material)>) -> Result<Self, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            nakhoda_daemon::install_crypto();
        }
        let times = times(&authority, pair.as_ref());
        let config =
            build(&authority, pair.as_ref()).map_err(|source| ConfigError::Tls { path: origin.into(), source })?;
        Ok(Self { authority, pair, current: Mutex::new((times, config)) })
    }
}

impl Tls for Identity {
    fn config(&self) -> Arc<ClientConfig> {
        let mut current = self.current.lock();
        let now = times(&self.authority, self.pair.as_ref());
        if now != current.0 {
            match build(&self.authority, self.pair.as_ref()) {
                Ok(config) => *current = (now, config),
                Err(error) => {
                    let error = nakhoda_api::status::chain(&error);
                    tracing::warn!(error, "the old certificates stay");
                }
            }
        }
        current.1.clone()
    }
}

fn build(authority: &Material, pair: Option<&(Material, Material)>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = tls::roots_from_pem(&authority.read()?, authority.origin())?;
    let config = match pair {
        Some((cert, key)) => tls::client_with(roots, &KeyPair { cert: cert.read()?, key: key.read()? }, ALPN)?,
        None => tls::client(roots, None, ALPN),
    };
    Ok(Arc::new(config))
}

fn times(authority: &Material, pair: Option<&(Material, Material)>) -> Times {
    [authority.time(), pair.and_then(|p| p.0.time()), pair.and_then(|p| p.1.time())]
}
