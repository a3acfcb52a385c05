//! Tokens as old as Kubernetes: they never expire, and stand and fall with their Secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nakhoda_api::kinds::core::{Secret, ServiceAccount};
use nakhoda_client::Resource;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Who signs such tokens.
const ISSUER: &str = "kubernetes/serviceaccount";
/// The bytes before an uncompressed P-256 point in a SubjectPublicKeyInfo (RFC 5480).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What a token says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claims {
    iss: &'static str,
    #[serde(rename = "kubernetes.io/serviceaccount/namespace")]
    namespace: String,
    #[serde(rename = "kubernetes.io/serviceaccount/secret.name")]
    secret: String,
    /// Beyond upstream: a Secret that is made again under the same name does not revive the token.
    #[serde(rename = "kubernetes.io/serviceaccount/secret.uid")]
    secret_uid: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.name")]
    account: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.uid")]
    uid: String,
    sub: String,
}

/// Signs with ECDSA P-256.
pub struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// The key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is no PEM.
    #[error("no private key in PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// It is another kind of key.
    #[error("not an ECDSA P-256 key in PKCS#8 ({0})")]
    Kind(ring::error::KeyRejected),
}

// === impl Claims ===

impl Claims {
    /// The claims of an account in a Secret.
    #[must_use]
    pub fn of(account: &ServiceAccount, secret: &Secret) -> Self {
        Self {
            iss: ISSUER,
            namespace: account.namespace().into(),
            secret: secret.name().into(),
            secret_uid: secret.uid().into(),
            account: account.name().into(),
            uid: account.uid().into(),
            sub: format!("system:serviceaccount:{}:{}", account.namespace(), account.name()),
        }
    }
}

// === impl Signer ===

impl Signer {
    /// Takes a key in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(KeyError::Pem)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_der(), &random)
            .map_err(KeyError::Kind)?;
        Ok(Self { pair, random })
    }

    /// A signed token.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let header = serde_json::json!({"alg": "ES256", "kid": self.id()}).to_string();
        let body = serde_json::to_vec(claims).expect("strings always serialise");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
        let signature = self.pair.sign(&self.random, signed.as_bytes());
        let signature = signature.expect("signing fails only without randomness, which this process had at start");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The hash of the public key, by which the verifier finds it.
    fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(SPKI_PREFIX);
        hash.update(self.pair.public_key());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    pub(crate) fn key() -> String {
        rcgen::KeyPair::generate().expect("a key").serialize_pem()
    }

    #[test]
    fn a_token_verifies_and_names_account_and_secret() {
        let signer = Signer::from_pem(&key()).expect("a key");
        let mut account = ServiceAccount::default();
        account.metadata.name = Some("robot".into());
        account.metadata.namespace = Some("shop".into());
        let mut secret = Secret::default();
        secret.metadata.name = Some("robot-token".into());
        let token = signer.sign(&Claims::of(&account, &secret));
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, signer.pair.public_key());
        assert!(public.verify(signed.as_bytes(), &decode(signature)).is_ok());
        let body = decode(signed.split_once('.').expect("two parts").1);
        let claims: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(claims["sub"], "system:serviceaccount:shop:robot");
        assert_eq!(claims["kubernetes.io/serviceaccount/secret.name"], "robot-token");
    }

    #[test]
    fn a_wrong_key_is_told() {
        assert!(matches!(Signer::from_pem("no key"), Err(KeyError::Pem(_))));
    }
}
