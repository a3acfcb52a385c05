//! The providers of one resource in order, each a prefix and, but for identity, its keys.

use bytes::Bytes;

use super::cipher::{Cipher, Fault};

/// What all encrypted values begin with.
const ENCRYPTED: &[u8] = b"k8s:enc:";

/// The providers of one resource, at least one.
#[derive(Clone)]
pub struct Chain(pub(super) Vec<std::sync::Arc<Provider>>);

/// One way to store values.
pub(super) enum Provider {
    /// As they are.
    Identity,
    /// Encrypted.
    Keys { prefix: &'static str, unknown: &'static str, keys: Vec<Key> },
}

/// A key by its name.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) cipher: Box<dyn Cipher>,
}

/// Why a stored value cannot be read, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is encrypted, and nothing says how.
    #[error("identity transformer tried to read encrypted data")]
    Encrypted,
    /// No provider knows its prefix.
    #[error("no matching prefix found")]
    NoProvider,
    /// The provider has no key of this name.
    #[error("{0}")]
    NoKey(&'static str),
    /// The keys do not fit.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Keys(Vec<Fault>),
}

/// A value that is not encrypted.
pub(super) fn plain(stored: Bytes) -> Result<Bytes, Unreadable> {
    if stored.starts_with(ENCRYPTED) { Err(Unreadable::Encrypted) } else { Ok(stored) }
}

// === impl Chain ===

impl Chain {
    /// What to store: by the first key of the first provider.
    pub fn seal(&self, place: &[u8], value: &Bytes) -> Result<Bytes, Fault> {
        let Some(Provider::Keys { prefix, keys, .. }) = self.0.first().map(|provider| &**provider) else {
            return Ok(value.clone());
        };
        let Some(key) = keys.first() else { return Ok(value.clone()) };
        let text = key.cipher.seal(place, value)?;
        Ok([prefix.as_bytes(), key.name.as_bytes(), b":", &text].concat().into())
    }

    /// The value, and whether any but the first key of the first provider told it.
    pub fn open(&self, place: &[u8], stored: Bytes) -> Result<(Bytes, bool), Unreadable> {
        let (mut faults, mut unknown) = (Vec::new(), None);
        for (number, provider) in self.0.iter().enumerate() {
            match &**provider {
                Provider::Identity if !stored.starts_with(ENCRYPTED) => return Ok((stored, number != 0)),
                Provider::Identity => {}
                Provider::Keys { prefix, unknown: text, keys } => {
                    let Some(rest) = stored.strip_prefix(prefix.as_bytes()) else { continue };
                    match open(keys, place, rest, &mut faults) {
                        Some((value, first)) => return Ok((value.into(), number != 0 || !first)),
                        None => unknown = Some(*text),
                    }
                }
            }
        }
        Err(match unknown {
            _ if !faults.is_empty() => Unreadable::Keys(faults),
            Some(text) => Unreadable::NoKey(text),
            None => Unreadable::NoProvider,
        })
    }
}

/// The value by the key of its name, and whether that is the first; what was wrong with others of the name.
fn open(keys: &[Key], place: &[u8], rest: &[u8], faults: &mut Vec<Fault>) -> Option<(Vec<u8>, bool)> {
    for (number, key) in keys.iter().enumerate() {
        let text = rest.strip_prefix(key.name.as_bytes()).and_then(|rest| rest.strip_prefix(b":"));
        match text.map(|text| key.cipher.open(place, text)) {
            Some(Ok(value)) => return Some((value, number == 0)),
            Some(Err(fault)) => faults.push(fault),
            None => {}
        }
    }
    None
}
