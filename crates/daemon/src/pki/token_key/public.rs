//! The half of a key that checks tokens, and how it is published.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{KeyError, TokenKey, contents};

/// The bytes before an uncompressed P-256 point in a `SubjectPublicKeyInfo` (RFC 5480).
const POINT_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The algorithm of an RSA key in a `SubjectPublicKeyInfo` (RFC 3279).
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A public key that checks tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// As `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    /// Uncompressed.
    Point(Vec<u8>),
    /// As PKCS#1 has it, and its two numbers.
    Rsa { der: Vec<u8>, n: Vec<u8>, e: Vec<u8> },
}

// === impl PublicKey ===

impl PublicKey {
    /// All keys of a PEM file; of private ones their public halves.
    pub fn read(path: &Path) -> Result<Vec<Self>, KeyError> {
        let pem = contents(path)?;
        let mut keys = SubjectPublicKeyInfoDer::pem_slice_iter(&pem)
            .map(|der| Self::from_spki(&der.map_err(KeyError::Pem)?))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            let key = TokenKey::from_pem(&pem).map_err(|error| match error {
                KeyError::Pem(_) => KeyError::NoKeys(path.into()),
                other => other,
            })?;
            keys.push(key.public().clone());
        }
        Ok(keys)
    }

    pub(super) fn point(point: &[u8]) -> Self {
        Self { spki: [&POINT_PREFIX, point].concat(), material: Material::Point(point.to_vec()) }
    }

    pub(super) fn rsa(public: &ring::rsa::PublicKey) -> Self {
        let parts = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(public);
        let der = public.as_ref().to_vec();
        let bits = tagged(0x03, &[&[0], der.as_slice()].concat());
        let spki = tagged(0x30, &[&RSA_ALGORITHM, bits.as_slice()].concat());
        Self { spki, material: Material::Rsa { der, n: parts.n, e: parts.e } }
    }

    fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| KeyError::PublicKind)?;
        let bits = info.subject_public_key.data.to_vec();
        let material = match info.parsed() {
            Ok(Parsed::RSA(key)) => Material::Rsa { der: bits, n: trimmed(key.modulus), e: trimmed(key.exponent) },
            Ok(Parsed::EC(_)) if der.starts_with(&POINT_PREFIX) => Material::Point(bits),
            _ => return Err(KeyError::PublicKind),
        };
        Ok(Self { spki: der.to_vec(), material })
    }

    /// As `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// `alg`: how signatures by it are made.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Point(_) => "ES256",
            Material::Rsa { .. } => "RS256",
        }
    }

    /// `kid`: the hash of the key, as upstream makes it.
    #[must_use]
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.spki))
    }

    /// As a JSON Web Key (RFC 7517).
    #[must_use]
    pub fn jwk(&self) -> serde_json::Value {
        let text = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let (id, algorithm) = (self.id(), self.algorithm());
        match &self.material {
            Material::Point(point) => {
                let (x, y) = point[1..].split_at(32);
                serde_json::json!({
                    "use": "sig", "kty": "EC", "kid": id, "crv": "P-256", "alg": algorithm, "x": text(x), "y": text(y),
                })
            }
            Material::Rsa { n, e, .. } => serde_json::json!({
                "use": "sig", "kty": "RSA", "kid": id, "alg": algorithm, "n": text(n), "e": text(e),
            }),
        }
    }

    /// Whether a signature is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Point(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Material::Rsa { der, .. } => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).verify(message, signature).is_ok()
            }
        }
    }
}

/// Without zeros in front, which are not part of a number.
fn trimmed(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}

/// A value in DER.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = trimmed(&length);
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.extend(length);
    } else {
        let count = u8::try_from(length.len()).expect("a length has at most eight bytes");
        out.push(0x80 | count);
        out.extend(length);
    }
    out.extend_from_slice(content);
    out
}
