//! Keys and certificates that controllers hand out or sign with. Read once, before anything starts, so
//! that a wrong file is one clear line.

use anyhow::Context as _;
use nakhoda_daemon::pki::{Authority, read};

use crate::options::Options;

/// What the flags name. What is absent switches off the controllers that need it.
#[derive(Default)]
pub struct Material {
    /// The certificate of the authority that pods trust.
    pub root_ca: Option<String>,
    /// The key that signs service-account tokens, as PEM.
    pub token_key: Option<String>,
    /// Signs certificate requests.
    pub authority: Option<Authority>,
}

// === impl Material ===

impl Material {
    /// Reads the files.
    pub fn load(options: &Options) -> anyhow::Result<Self> {
        let root_ca = options.root_ca_file.as_deref().map(read).transpose().context("--root-ca-file")?;
        let key = options.service_account_private_key_file.as_deref().map(read).transpose();
        let authority = match (&options.cluster_signing_cert_file, &options.cluster_signing_key_file) {
            (Some(cert), Some(key)) => Some(Authority::read(cert, key).context("--cluster-signing-cert-file")?),
            (None, None) => None,
            _ => anyhow::bail!("--cluster-signing-cert-file and --cluster-signing-key-file belong together"),
        };
        Ok(Self { root_ca, token_key: key.context("--service-account-private-key-file")?, authority })
    }
}
