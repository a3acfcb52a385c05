//! Upkeep of a cluster's folder: how old its certificates are, new ones in place of those that end soon, and a new
//! authority in the place of an old one, with a time in which both are believed.
//!
//! A certificate is renewed as what it is: whom it names, what for and for how long are read from it. Kubeconfigs
//! hold their certificate and the authorities in place, and are renewed like files.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use super::authority::{EARLIER, SHORT};
use super::layout::Folder;
use super::{Authority, PkiError, Profile, read, write_private};

pub mod rotate;

/// The share of its life after which a certificate is due.
const DUE: f64 = 0.7;
/// What authorities are called in a cluster's folder.
pub const AUTHORITIES: [&str; 3] = ["ca", "front-proxy-ca", "etcd/ca"];

const CERTIFICATE: &str = "    client-certificate-data: ";
const KEY: &str = "    client-key-data: ";
const AUTHORITY: &str = "    certificate-authority-data: ";

/// A certificate in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its file below the folder.
    pub file: PathBuf,
    /// The authority that signed it, as its file is called; itself for an authority.
    pub authority: String,
    /// Whether it is an authority.
    pub signs: bool,
    /// What it says.
    pub profile: Profile,
    /// The first moment at which it is valid.
    pub from: SystemTime,
    /// The last.
    pub until: SystemTime,
}

// === impl Certificate ===

impl Certificate {
    /// When it should be renewed.
    #[must_use]
    pub fn due(&self) -> SystemTime {
        self.from + self.life().mul_f64(DUE)
    }

    /// How long it lives in all.
    #[must_use]
    pub fn life(&self) -> Duration {
        self.until.duration_since(self.from).unwrap_or_default()
    }

    /// What it was issued for: a long life begins a little before.
    fn issued_for(&self) -> Duration {
        let life = self.life();
        if life < SHORT { life } else { life.saturating_sub(EARLIER) }
    }

    fn read(folder: &Path, file: PathBuf) -> Result<Option<Self>, PkiError> {
        let path = folder.join(&file);
        let text = read(&path)?;
        let pem = match path.extension().is_some_and(|e| e == "conf") {
            true => match value(&text, CERTIFICATE) {
                Some(pem) => pem,
                None => return Ok(None),
            },
            false => text,
        };
        let unreadable = || PkiError::Unreadable { path: path.clone() };
        let block = Pem::iter_from_buffer(pem.as_bytes()).next().and_then(Result::ok).ok_or_else(unreadable)?;
        let certificate = block.parse_x509().map_err(|_| unreadable())?;
        let name = file.with_extension("").display().to_string();
        let signs = AUTHORITIES.contains(&name.as_str());
        let time = |at: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(at.unsigned_abs());
        let validity = certificate.validity();
        Ok(Some(Self {
            authority: if signs { name } else { signer(&name).into() },
            signs,
            profile: profile(&certificate),
            from: time(validity.not_before.timestamp()),
            until: time(validity.not_after.timestamp()),
            file,
        }))
    }
}

// === impl Folder ===

impl Folder {
    /// Every certificate in it, in the order of their files.
    pub fn certificates(&self) -> Result<Vec<Certificate>, PkiError> {
        let mut files = Vec::new();
        for below in ["", "etcd"] {
            let entries = match std::fs::read_dir(self.path(below)) {
                Ok(entries) => entries,
                Err(_) if !below.is_empty() => continue,
                Err(source) => return Err(PkiError::File { attempt: "reading", path: self.path(below), source }),
            };
            let names = entries.filter_map(Result::ok).map(|entry| Path::new(below).join(entry.file_name()));
            files.extend(names.filter(|name| {
                let text = name.to_string_lossy();
                (text.ends_with(".crt") || text.ends_with(".conf")) && !text.ends_with(rotate::NEXT_CERT)
            }));
        }
        files.sort();
        let read = files.into_iter().map(|file| Certificate::read(&self.path(""), file).transpose());
        read.flatten().collect()
    }

    /// Renews the leaves for which `wanted` holds; what was renewed.
    pub fn renew(&self, wanted: impl Fn(&Certificate) -> bool) -> Result<Vec<Certificate>, PkiError> {
        let leaves = self.certificates()?.into_iter().filter(|c| !c.signs && wanted(c));
        leaves.map(|leaf| self.issue(&leaf).map(|()| leaf)).collect()
    }

    /// Puts a new certificate in the place of one.
    fn issue(&self, leaf: &Certificate) -> Result<(), PkiError> {
        let file = |end: &str| self.path(&format!("{}.{end}", leaf.authority));
        let authority = Authority::read(&file("crt"), &file("key"))?;
        let (certificate, key) = authority.issue(&leaf.profile, leaf.issued_for())?;
        let path = self.path("").join(&leaf.file);
        if leaf.file.extension().is_some_and(|e| e == "conf") {
            let text = with(&read(&path)?, CERTIFICATE, &certificate);
            let text = with(&with(&text, KEY, &key), AUTHORITY, authority.certificate());
            return write_private(&path, text.as_bytes());
        }
        // First the key: readers that see half of it wait for the certificate.
        write_private(&path.with_extension("key"), key.as_bytes())?;
        write_private(&path, certificate.as_bytes())
    }

    /// Lets every kubeconfig believe these authorities.
    fn believe(&self, authorities: &str) -> Result<(), PkiError> {
        let configs = self.certificates()?.into_iter().filter(|c| c.file.extension().is_some_and(|e| e == "conf"));
        configs.map(|config| self.path("").join(config.file)).try_for_each(|path| {
            let text = with(&read(&path)?, AUTHORITY, authorities);
            write_private(&path, text.as_bytes())
        })
    }
}

/// Who signs what: a leaf's file tells.
fn signer(name: &str) -> &'static str {
    match name {
        name if name.starts_with("etcd/") => "etcd/ca",
        name if name.starts_with("front-proxy-") => "front-proxy-ca",
        _ => "ca",
    }
}

fn profile(certificate: &X509Certificate<'_>) -> Profile {
    let text = |value: &x509_parser::x509::AttributeTypeAndValue<'_>| value.as_str().ok().map(str::to_owned);
    let usage = certificate.extended_key_usage().ok().flatten().map(|usage| usage.value);
    let mut profile = Profile {
        common_name: certificate.subject().iter_common_name().find_map(text).unwrap_or_default(),
        organizations: certificate.subject().iter_organization().filter_map(text).collect(),
        server: usage.is_some_and(|usage| usage.server_auth),
        client: usage.is_some_and(|usage| usage.client_auth),
        ..Profile::default()
    };
    let names = certificate.subject_alternative_name().ok().flatten();
    for name in names.iter().flat_map(|names| &names.value.general_names) {
        match name {
            GeneralName::DNSName(name) => profile.dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => profile.ips.extend(address(bytes)),
            _ => {}
        }
    }
    profile
}

fn address(bytes: &[u8]) -> Option<std::net::IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(Into::into);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(Into::into)).ok()
}

/// What a kubeconfig of ours holds in one of its lines.
fn value(text: &str, line: &str) -> Option<String> {
    let encoded = text.lines().find_map(|l| l.strip_prefix(line))?;
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

/// The same kubeconfig with another value there.
fn with(text: &str, line: &str, value: &str) -> String {
    let replaced = |l: &str| if l.starts_with(line) { format!("{line}{}", STANDARD.encode(value)) } else { l.into() };
    text.lines().map(|l| replaced(l) + "\n").collect()
}

#[cfg(test)]
mod tests;
