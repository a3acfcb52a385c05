//! The keys that an issuer publishes (JWKS, RFC 7517), and signatures by them (RFC 7518).
//!
//! Absent: curves other than P-256 and P-384; such keys are passed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::token::Token;

/// The algorithms that are known.
pub const ALGORITHMS: [&str; 8] = ["ES256", "ES384", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// The keys of an issuer.
#[derive(Debug, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: String,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Point { algorithm: &'static str, point: Vec<u8> },
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Jwk {
    kty: String,
    kid: String,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

// === impl KeySet ===

impl KeySet {
    /// The keys of a document that can be used.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_slice(text)?;
        Ok(Self(document.keys.into_iter().filter_map(Key::new).collect()))
    }

    /// Whether a token is signed by one of the keys: by the one it names, if it names one.
    #[must_use]
    pub fn verifies(&self, token: &Token<'_>) -> bool {
        let id = &token.header.kid;
        self.0.iter().filter(|key| id.is_empty() || key.id == *id).any(|key| key.material.verifies(token))
    }
}

// === impl Key ===

impl Key {
    fn new(jwk: Jwk) -> Option<Self> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let material = match (jwk.kty.as_str(), jwk.crv.as_str()) {
            ("RSA", _) => Material::Rsa { n: trimmed(decode(&jwk.n)?), e: trimmed(decode(&jwk.e)?) },
            ("EC", "P-256") => point("ES256", &decode(&jwk.x)?, &decode(&jwk.y)?, 32)?,
            ("EC", "P-384") => point("ES384", &decode(&jwk.x)?, &decode(&jwk.y)?, 48)?,
            _ => {
                tracing::debug!(kty = jwk.kty, crv = jwk.crv, kid = jwk.kid, "a key of an issuer is passed over");
                return None;
            }
        };
        Some(Self { id: jwk.kid, material })
    }
}

/// Without zeros in front, which are not part of a number.
fn trimmed(number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number[zeros..].to_vec()
}

/// An uncompressed point; none if a half has not the size of the curve.
fn point(algorithm: &'static str, x: &[u8], y: &[u8], size: usize) -> Option<Material> {
    let whole = x.len() == size && y.len() == size;
    whole.then(|| Material::Point { algorithm, point: [&[4], x, y].concat() })
}

// === impl Material ===

impl Material {
    fn verifies(&self, token: &Token<'_>) -> bool {
        let (message, signature, algorithm) = (token.signed.as_bytes(), &token.signature, token.header.alg.as_str());
        match self {
            Self::Rsa { n, e } => rsa(algorithm).is_some_and(|parameters| {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }),
            Self::Point { algorithm: own, point } if *own == algorithm => {
                let curve: &EcdsaVerificationAlgorithm =
                    if algorithm == "ES256" { &ECDSA_P256_SHA256_FIXED } else { &ECDSA_P384_SHA384_FIXED };
                UnparsedPublicKey::new(curve, point).verify(message, signature).is_ok()
            }
            Self::Point { .. } => false,
        }
    }
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}
