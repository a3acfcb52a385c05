//! The keys that sign and check service-account tokens: ECDSA P-256 (ES256), as `ctl pki` makes them, and RSA
//! from 2,048 bits on (RS256), as other clusters bring them along.
//!
//! Absent: other curves; EC keys in SEC1 (`openssl pkcs8 -topk8 -nocrypt` turns them into PKCS#8).

mod public;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

pub use public::PublicKey;

/// A key pair that signs tokens.
pub struct TokenKey {
    pair: Pair,
    random: SystemRandom,
    public: PublicKey,
}

enum Pair {
    Ec(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("reading {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is no PEM.
    #[error("no private key in PEM; make one with `ctl pki init`")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// It holds no key that checks tokens.
    #[error("{0} holds neither a public nor a private key in PEM")]
    NoKeys(PathBuf),
    /// It is another kind of key.
    #[error("neither an ECDSA P-256 key in PKCS#8 nor an RSA key of 2,048 bits or more ({0})")]
    Kind(ring::error::KeyRejected),
    /// It is another kind of public key.
    #[error("neither an ECDSA P-256 nor an RSA public key")]
    PublicKind,
    /// The system gave no randomness.
    #[error("no key could be made")]
    Random,
}

// === impl TokenKey ===

impl TokenKey {
    /// The key in a PEM file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&contents(path)?)
    }

    /// The first key of a text in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let pair = match PrivateKeyDer::from_pem_slice(pem).map_err(KeyError::Pem)? {
            PrivateKeyDer::Pkcs1(der) => rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()))?,
            der => match ec(der.secret_der()) {
                Ok(pair) => pair,
                Err(_) => rsa(RsaKeyPair::from_pkcs8(der.secret_der()))?,
            },
        };
        Ok(Self::new(pair))
    }

    /// A new key that lives in memory only.
    pub fn generate() -> Result<Self, KeyError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| KeyError::Random)?;
        Ok(Self::new(ec(document.as_ref())?))
    }

    fn new(pair: Pair) -> Self {
        let public = match &pair {
            Pair::Ec(pair) => PublicKey::point(pair.public_key().as_ref()),
            Pair::Rsa(pair) => PublicKey::rsa(pair.public()),
        };
        Self { pair, random: SystemRandom::new(), public }
    }

    /// The half that checks.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of a message, in the form that JWS wants.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        const WHY: &str = "signing fails only without randomness, which this process had at start";
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&self.random, message).expect(WHY).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature).expect(WHY);
                signature
            }
        }
    }

    /// A signed token (JWS in its compact form) with this body.
    #[must_use]
    pub fn token(&self, body: &[u8]) -> String {
        let header = format!(r#"{{"alg":"{}","kid":"{}"}}"#, self.public.algorithm(), self.public.id());
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())))
    }
}

fn ec(pkcs8: &[u8]) -> Result<Pair, KeyError> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
        .map(|pair| Pair::Ec(Box::new(pair)))
        .map_err(KeyError::Kind)
}

fn rsa(pair: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Pair, KeyError> {
    pair.map(|pair| Pair::Rsa(Box::new(pair))).map_err(KeyError::Kind)
}

fn contents(path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|source| KeyError::File { path: path.into(), source })
}

#[cfg(test)]
mod tests;
