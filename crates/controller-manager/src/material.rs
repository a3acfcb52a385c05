//! Keys and certificates that controllers hand out or sign with. Read before anything starts, so that a wrong file
//! is one clear line, and again when one of them changes.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use nakhoda_daemon::pki::{Authority, read};

use crate::options::Options;

/// How often the files' times are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What the flags name. What is absent switches off the controllers that need it.
#[derive(Default)]
pub struct Material {
    /// The certificate of the authority that pods trust.
    pub root_ca: Option<String>,
    /// The key that signs service-account tokens, as PEM.
    pub token_key: Option<String>,
    /// Signs certificate requests.
    pub authority: Option<Authority>,
    times: Vec<Option<SystemTime>>,
}

// === impl Material ===

impl Material {
    /// Reads the files.
    pub fn load(options: &Options) -> anyhow::Result<Self> {
        let times = times(options);
        let root_ca = options.root_ca_file.as_deref().map(read).transpose().context("--root-ca-file")?;
        let key = options.service_account_private_key_file.as_deref().map(read).transpose();
        let authority = match (&options.cluster_signing_cert_file, &options.cluster_signing_key_file) {
            (Some(cert), Some(key)) => Some(Authority::read(cert, key).context("--cluster-signing-cert-file")?),
            (None, None) => None,
            _ => anyhow::bail!("--cluster-signing-cert-file and --cluster-signing-key-file belong together"),
        };
        Ok(Self { root_ca, token_key: key.context("--service-account-private-key-file")?, authority, times })
    }

    /// Waits until a file has changed and all of them make sense: what they say now. A certificate and its key are
    /// two files, so what has just changed is given time.
    pub async fn renewed(&self, options: &Options) -> Self {
        let (mut known, mut seen) = (self.times.clone(), self.times.clone());
        loop {
            tokio::time::sleep(LOOK).await;
            let now = times(options);
            let settled = now == seen;
            seen = now;
            if !settled || seen == known {
                continue;
            }
            known = seen.clone();
            match Self::load(options) {
                Ok(material) => return material,
                Err(error) => tracing::warn!("the old keys stay: {error:#}"),
            }
        }
    }
}

fn times(options: &Options) -> Vec<Option<SystemTime>> {
    let files = [
        &options.root_ca_file,
        &options.service_account_private_key_file,
        &options.cluster_signing_cert_file,
        &options.cluster_signing_key_file,
    ];
    let time = |path: &std::path::PathBuf| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    files.into_iter().map(|file| file.as_ref().and_then(time)).collect()
}
