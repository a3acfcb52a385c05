//! Certificates and keys: authorities, leaves, the folder that a cluster keeps them in and its upkeep. All
//! keys that are made are ECDSA P-256; those that sign tokens may be RSA keys brought along (`token_key.rs`).
//!
//! Absent: revocation lists.

pub mod authority;
pub mod join;
pub mod layout;
pub mod token_key;
pub mod upkeep;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use authority::Authority;

/// One day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long an authority lives: ten years.
pub const AUTHORITY_LIFE: Duration = Duration::from_secs(3650 * 24 * 3600);
/// How long a leaf lives: one year, as kubeadm has it.
pub const LEAF_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a leaf certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The user name, or the server's name.
    pub common_name: String,
    /// The user's groups.
    pub organizations: Vec<String>,
    /// DNS names of a server.
    pub dns: Vec<String>,
    /// Addresses of a server.
    pub ips: Vec<IpAddr>,
    /// For servers.
    pub server: bool,
    /// For clients.
    pub client: bool,
}

/// A certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file cannot be read or written.
    #[error("{attempt} {path}")]
    File {
        /// What was tried: `reading`, say.
        attempt: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// A certificate or a key is not what it should be.
    #[error("{what} is not usable")]
    Certificate {
        /// Which certificate or request.
        what: String,
        /// Why not.
        #[source]
        source: rcgen::Error,
    },
    /// What should be a certificate is none.
    #[error("{path} holds no certificate")]
    Unreadable {
        /// Which file.
        path: PathBuf,
    },
    /// A file that is there does not belong to the others.
    #[error("{path} is missing while {present} is there; restore it, or remove both to have new ones made")]
    Half {
        /// The missing one.
        path: PathBuf,
        /// The present one.
        present: PathBuf,
    },
    /// The machine gives no random numbers.
    #[error("no random numbers can be had for a key")]
    Random,
}

// === impl Profile ===

impl Profile {
    /// A user and its groups.
    #[must_use]
    pub fn client(common_name: &str, organizations: &[&str]) -> Self {
        Self {
            common_name: common_name.into(),
            organizations: organizations.iter().map(|&o| o.into()).collect(),
            client: true,
            ..Self::default()
        }
    }

    /// A server under these names and addresses.
    #[must_use]
    pub fn server(common_name: &str, dns: &[&str], ips: &[IpAddr]) -> Self {
        Self {
            common_name: common_name.into(),
            dns: dns.iter().map(|&d| d.into()).collect(),
            ips: ips.to_vec(),
            server: true,
            ..Self::default()
        }
    }
}

/// Writes a file that only its owner may read; whole or not at all.
pub fn write_private(path: &Path, contents: &[u8]) -> Result<(), PkiError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let error = |source| PkiError::File { attempt: "writing", path: path.into(), source };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(error)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).map_err(error)?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(error)?;
    std::fs::rename(&fresh, path).map_err(error)
}

/// Reads a file.
pub fn read(path: &Path) -> Result<String, PkiError> {
    std::fs::read_to_string(path).map_err(|source| PkiError::File { attempt: "reading", path: path.into(), source })
}
