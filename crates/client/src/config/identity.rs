//! [`Identity`]: whom a client trusts and what it shows, read again when a file changes, also when it is the
//! kubeconfig itself that holds the certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use nakhoda_daemon::file;
use nakhoda_daemon::tls::{self, KeyPair, TlsError};
use nakhoda_rpc::transport::Tls;
use parking_lot::Mutex;
use rustls::ClientConfig;

use super::ConfigError;
use super::kubeconfig::Kubeconfig;

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
    kubeconfig: Option<Origin>,
    current: Mutex<Current>,
}

/// The certificates that a configuration names.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) authority: Material,
    pub(crate) pair: Option<(Material, Material)>,
}

/// A kubeconfig and one of its contexts.
pub(crate) struct Origin {
    pub(crate) path: PathBuf,
    pub(crate) context: String,
}

struct Current {
    times: Times,
    named: Named,
    config: Arc<ClientConfig>,
}

/// Those of the authority, the certificate, the key and the kubeconfig.
type Times = [Option<SystemTime>; 4];

// === impl Material ===

impl Material {
    fn read(&self) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::Data(bytes) => Ok(bytes.clone()),
            Self::File(path) => Ok(file::bytes(path)?),
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
        Self::following(origin, Named { authority, pair }, None)
    }

    /// The same; what a kubeconfig says is read again when that changes.
    pub(crate) fn following(origin: &Path, named: Named, kubeconfig: Option<Origin>) -> Result<Self, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            nakhoda_daemon::install_crypto();
        }
        let times = times(&named, kubeconfig.as_ref());
        let config = named.build().map_err(|source| ConfigError::Tls { path: origin.into(), source })?;
        Ok(Self { kubeconfig, current: Mutex::new(Current { times, named, config }) })
    }

    fn read_again(&self, known: &Named) -> Result<(Named, Arc<ClientConfig>), ConfigError> {
        let (path, named) = match &self.kubeconfig {
            Some(Origin { path, context }) => {
                (path.as_path(), Kubeconfig::read(path)?.select(Some(context))?.certificates()?)
            }
            None => (known.authority.origin(), known.clone()),
        };
        let config = named.build().map_err(|source| ConfigError::Tls { path: path.into(), source })?;
        Ok((named, config))
    }
}

impl Tls for Identity {
    fn config(&self) -> Arc<ClientConfig> {
        let mut current = self.current.lock();
        let now = times(&current.named, self.kubeconfig.as_ref());
        if now != current.times {
            match self.read_again(&current.named) {
                Ok((named, config)) => {
                    let times = times(&named, self.kubeconfig.as_ref());
                    *current = Current { times, named, config };
                }
                Err(error) => {
                    let error = nakhoda_api::status::chain(&error);
                    tracing::warn!(error, "the old certificates stay");
                }
            }
        }
        current.config.clone()
    }
}

// === impl Named ===

impl Named {
    fn build(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let roots = tls::roots_from_pem(&self.authority.read()?, self.authority.origin())?;
        let config = match &self.pair {
            Some((cert, key)) => tls::client_with(roots, &KeyPair { cert: cert.read()?, key: key.read()? }, ALPN)?,
            None => tls::client(roots, None, ALPN),
        };
        Ok(Arc::new(config))
    }
}

fn times(named: &Named, kubeconfig: Option<&Origin>) -> Times {
    let pair = named.pair.as_ref();
    let origin = kubeconfig.and_then(|origin| std::fs::metadata(&origin.path).and_then(|m| m.modified()).ok());
    [named.authority.time(), pair.and_then(|p| p.0.time()), pair.and_then(|p| p.1.time()), origin]
}
