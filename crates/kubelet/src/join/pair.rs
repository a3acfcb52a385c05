//! [`Pair`]: a key and its certificate in files.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use nakhoda_daemon::pki::write_private;
use rcgen::{CertificateParams, DnType, KeyPair};
use x509_parser::pem::Pem;

/// A key that stays until its certificate is renewed, and the certificate.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

// === impl Pair ===

impl Pair {
    pub(super) fn of(folder: &Path, name: &str) -> Self {
        Self { cert: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) }
    }

    /// Where the next pair is prepared.
    pub(super) fn next(&self) -> Self {
        Self { cert: self.cert.with_extension("next.crt"), key: self.key.with_extension("next.key") }
    }

    /// The key; a new one if there is none.
    pub(super) fn ensure_key(&self) -> anyhow::Result<KeyPair> {
        match std::fs::read_to_string(&self.key) {
            Ok(pem) => KeyPair::from_pem(&pem).with_context(|| format!("{} is no key", self.key.display())),
            Err(_) => {
                let key = KeyPair::generate().context("no key can be made")?;
                write_private(&self.key, key.serialize_pem().as_bytes())?;
                Ok(key)
            }
        }
    }

    /// The next request is made for a new key.
    pub(super) fn forget_key(&self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.key).with_context(|| format!("cannot remove {}", self.key.display()))
    }

    /// How long the certificate lives; `None` without one.
    pub(super) fn life(&self) -> Option<Life> {
        let text = std::fs::read(&self.cert).ok()?;
        let block = Pem::iter_from_buffer(&text).next()?.ok()?;
        let validity = block.parse_x509().ok()?.validity().clone();
        let time = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
        Some(Life { from: time(validity.not_before.timestamp()), until: time(validity.not_after.timestamp()) })
    }

    /// Whether key and certificate are there and may still be shown.
    pub(super) fn is_valid(&self) -> bool {
        let now = SystemTime::now();
        self.key.exists() && self.life().is_some_and(|life| life.from <= now && now < life.until)
    }

    /// A certificate that nobody vouches for, good for a day.
    pub(super) fn sign_self(&self, node: &str) -> anyhow::Result<()> {
        let key = self.ensure_key()?;
        let mut params = CertificateParams::new([node.to_owned()]).context("the node's name fits no certificate")?;
        params.distinguished_name.push(DnType::CommonName, format!("system:node:{node}"));
        let now = SystemTime::now();
        params.not_before = now.into();
        params.not_after = (now + nakhoda_daemon::pki::DAY).into();
        let certificate = params.self_signed(&key).context("no certificate can be made")?;
        Ok(write_private(&self.cert, certificate.pem().as_bytes())?)
    }

    /// Takes the place of another pair: first the key, then the certificate, which is what readers wait for.
    pub(super) fn replace(&self, other: &Self) -> anyhow::Result<()> {
        for (from, to) in [(&self.key, &other.key), (&self.cert, &other.cert)] {
            std::fs::rename(from, to).with_context(|| format!("cannot write {}", to.display()))?;
        }
        Ok(())
    }
}

// === impl Life ===

impl Life {
    /// When to ask for the next one: at `share` of 70 to 90 % of its life (0 to 1), as upstream jitters it.
    pub(super) fn renewal(&self, share: f64) -> SystemTime {
        let life = self.until.duration_since(self.from).unwrap_or_default();
        self.from + life.mul_f64(0.7 + 0.2 * share.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_in_the_last_third_of_its_life() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let life = Life { from: at(1000), until: at(2000) };
        assert_eq!((life.renewal(0.0), life.renewal(1.0)), (at(1700), at(1900)));
    }

    #[test]
    fn a_key_stays_and_its_certificate_is_judged_by_its_time() {
        let folder = std::env::temp_dir().join(format!("nakhoda-pair-{}", std::process::id()));
        let pair = Pair::of(&folder, "client");
        assert!(!pair.is_valid());
        let key = pair.ensure_key().expect("made").serialize_pem();
        assert_eq!(pair.ensure_key().expect("read").serialize_pem(), key);
        pair.sign_self("n").expect("signed");
        assert!(pair.is_valid() && pair.life().is_some_and(|life| life.renewal(0.5) > SystemTime::now()));
        pair.replace(&pair.next()).expect("moved");
        assert!(!pair.is_valid() && pair.next().is_valid());
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
