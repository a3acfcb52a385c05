//! The key that signs tokens.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

/// The bytes before an uncompressed P-256 point in a SubjectPublicKeyInfo (RFC 5480).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// An ECDSA P-256 key pair.
pub struct Key {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read as PEM.
    #[error("{path} holds no private key; make one with `ctl pki init`")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// It is another kind of key.
    #[error("the service-account key is not an ECDSA P-256 key in PKCS#8 ({0})")]
    Kind(ring::error::KeyRejected),
    /// The system gave no randomness.
    #[error("no key could be made")]
    Random,
}

// === impl Key ===

impl Key {
    /// The key in a PEM file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let der = PrivateKeyDer::from_pem_file(path).map_err(|source| KeyError::Pem { path: path.into(), source })?;
        Self::from_pkcs8(der.secret_der())
    }

    /// A new key that lives in memory only.
    pub fn generate() -> Result<Self, KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError::Random)?;
        Self::from_pkcs8(document.as_ref())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).map_err(KeyError::Kind)?;
        Ok(Self { pair, random })
    }

    /// `kid`: the hash of the public key, as upstream makes it.
    #[must_use]
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(SPKI_PREFIX);
        hash.update(self.pair.public_key());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// The public half as a JSON Web Key.
    #[must_use]
    pub fn jwk(&self) -> serde_json::Value {
        let point = &self.pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(32);
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        serde_json::json!({
            "use": "sig", "kty": "EC", "kid": self.id(), "crv": "P-256", "alg": "ES256",
            "x": encode(x), "y": encode(y),
        })
    }

    /// The signature in the fixed form that JWS wants.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&self.random, message);
        signature.expect("signing fails only without randomness, which this process had at start").as_ref().to_vec()
    }

    /// Whether a signature is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key()).verify(message, signature).is_ok()
    }
}
