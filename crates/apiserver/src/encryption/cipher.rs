//! The ciphers: AES-CBC, AES-GCM, and secretbox (XSalsa20-Poly1305). What they make is laid out as upstream has it:
//! the nonce first, then the text; secretbox has its tag between the two.

use std::sync::atomic::{AtomicU64, Ordering};

use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{AesGcm, KeyInit};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use poly1305::Poly1305;
use salsa20::XSalsa20;
use salsa20::cipher::StreamCipher;

const SHORT: Fault = Fault("the stored data was shorter than the required size");
/// AES-GCM's nonces are random: so many values with one key are safe (NIST SP 800-38D), says upstream as well.
const GCM_WRITES: u64 = 200_000;

/// Why a text cannot be opened or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(&'static str);

/// One key of one algorithm. `place` is where the value lies: it cannot be moved where the cipher vouches for that.
pub trait Cipher: Send + Sync {
    /// Encrypts.
    fn seal(&self, place: &[u8], value: &[u8]) -> Result<Vec<u8>, Fault>;
    /// Decrypts.
    fn open(&self, place: &[u8], text: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// AES-CBC with a key of 16, 24 or 32 bytes.
#[must_use]
pub fn cbc(key: &[u8]) -> Option<Box<dyn Cipher>> {
    match key.len() {
        16 => Some(Box::new(Cbc { key: key.into(), encrypt: encrypt::<Aes128>, decrypt: decrypt::<Aes128> })),
        24 => Some(Box::new(Cbc { key: key.into(), encrypt: encrypt::<Aes192>, decrypt: decrypt::<Aes192> })),
        32 => Some(Box::new(Cbc { key: key.into(), encrypt: encrypt::<Aes256>, decrypt: decrypt::<Aes256> })),
        _ => None,
    }
}

/// AES-GCM with a key of 16, 24 or 32 bytes.
#[must_use]
pub fn gcm(name: &str, key: &[u8]) -> Option<Box<dyn Cipher>> {
    let (name, written) = (name.to_owned(), AtomicU64::new(0));
    match key.len() {
        16 => Some(Box::new(Gcm { aead: AesGcm::<Aes128, U12>::new_from_slice(key).ok()?, name, written })),
        24 => Some(Box::new(Gcm { aead: AesGcm::<Aes192, U12>::new_from_slice(key).ok()?, name, written })),
        32 => Some(Box::new(Gcm { aead: AesGcm::<Aes256, U12>::new_from_slice(key).ok()?, name, written })),
        _ => None,
    }
}

/// XSalsa20-Poly1305 with a key of 32 bytes.
#[must_use]
pub fn secretbox(key: &[u8]) -> Option<Box<dyn Cipher>> {
    Some(Box::new(Secretbox(key.try_into().ok()?)))
}

struct Cbc {
    key: Box<[u8]>,
    encrypt: Turn,
    decrypt: Turn,
}

/// By a key and an initial vector, a text into another.
type Turn = fn(&[u8], &[u8], &[u8]) -> Result<Vec<u8>, Fault>;

struct Gcm<A> {
    aead: A,
    name: String,
    written: AtomicU64,
}

struct Secretbox([u8; 32]);

// === impl Cbc ===

impl Cipher for Cbc {
    fn seal(&self, _place: &[u8], value: &[u8]) -> Result<Vec<u8>, Fault> {
        let iv = rand::random::<[u8; 16]>();
        (self.encrypt)(&self.key, &iv, value).map(|text| [&iv[..], &text].concat())
    }

    fn open(&self, _place: &[u8], text: &[u8]) -> Result<Vec<u8>, Fault> {
        let (iv, text) = text.split_at_checked(16).ok_or(SHORT)?;
        if text.len() % 16 != 0 {
            return Err(Fault("the stored data is not a multiple of the block size"));
        }
        (self.decrypt)(&self.key, iv, text)
    }
}

const LENGTH: Fault = Fault("a key or nonce of another length");

fn encrypt<C>(key: &[u8], iv: &[u8], value: &[u8]) -> Result<Vec<u8>, Fault>
where
    C: cbc::cipher::BlockCipherEncrypt + KeyInit,
    cbc::Encryptor<C>: KeyIvInit + BlockModeEncrypt,
{
    let cipher = cbc::Encryptor::<C>::new_from_slices(key, iv).map_err(|_| LENGTH)?;
    Ok(cipher.encrypt_padded_vec::<Pkcs7>(value))
}

fn decrypt<C>(key: &[u8], iv: &[u8], text: &[u8]) -> Result<Vec<u8>, Fault>
where
    C: cbc::cipher::BlockCipherDecrypt + KeyInit,
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(|_| LENGTH)?;
    cipher.decrypt_padded_vec::<Pkcs7>(text).map_err(|_| Fault("invalid padding on input"))
}

// === impl Gcm ===

impl<A: Aead + Send + Sync> Cipher for Gcm<A> {
    fn seal(&self, place: &[u8], value: &[u8]) -> Result<Vec<u8>, Fault> {
        let written = self.written.fetch_add(1, Ordering::Relaxed) + 1;
        if written.is_multiple_of(GCM_WRITES / 2) {
            let key = &self.name;
            tracing::warn!(key, written, "this aesgcm key must be replaced before {GCM_WRITES} writes");
        }
        let nonce = rand::random::<[u8; 12]>();
        let text = self.aead.encrypt((&nonce[..]).try_into().map_err(|_| LENGTH)?, Payload { msg: value, aad: place });
        Ok([&nonce[..], &text.map_err(|_| Fault("the value is too large"))?].concat())
    }

    fn open(&self, place: &[u8], text: &[u8]) -> Result<Vec<u8>, Fault> {
        let (nonce, text) = text.split_at_checked(12).ok_or(SHORT)?;
        let opened = self.aead.decrypt(nonce.try_into().map_err(|_| LENGTH)?, Payload { msg: text, aad: place });
        opened.map_err(|_| Fault("cipher: message authentication failed"))
    }
}

// === impl Secretbox ===

impl Secretbox {
    /// NaCl's box: the first 32 bytes of the key stream are the key of the tag.
    fn begin(&self, nonce: &[u8]) -> Result<(XSalsa20, Poly1305), Fault> {
        let mut stream = XSalsa20::new_from_slices(&self.0, nonce).map_err(|_| LENGTH)?;
        let mut key = [0; 32];
        stream.apply_keystream(&mut key);
        Ok((stream, Poly1305::new(&key.into())))
    }
}

impl Cipher for Secretbox {
    fn seal(&self, _place: &[u8], value: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce = rand::random::<[u8; 24]>();
        let (mut stream, poly) = self.begin(&nonce)?;
        let mut text = value.to_vec();
        stream.apply_keystream(&mut text);
        let tag = poly.compute_unpadded(&text);
        Ok([&nonce[..], &tag[..], &text].concat())
    }

    fn open(&self, _place: &[u8], text: &[u8]) -> Result<Vec<u8>, Fault> {
        let (nonce, text) = text.split_at_checked(24).ok_or(SHORT)?;
        let (tag, text) = text.split_at_checked(16).ok_or(SHORT)?;
        let (mut stream, poly) = self.begin(nonce)?;
        let made = poly.compute_unpadded(text);
        // every byte is looked at, wherever the first difference is
        if made.iter().zip(tag).fold(0, |differ, (a, b)| differ | (a ^ b)) != 0 {
            return Err(Fault("the value was not encrypted with this key, or was changed"));
        }
        let mut value = text.to_vec();
        stream.apply_keystream(&mut value);
        Ok(value)
    }
}
