//! Tokens as old as Kubernetes: they never expire, and stand and fall with their Secret.

use nakhoda_api::kinds::core::{Secret, ServiceAccount};
use nakhoda_client::Resource;
use nakhoda_daemon::pki::token_key::{KeyError, TokenKey};
use serde::Serialize;

/// Who signs such tokens.
const ISSUER: &str = "kubernetes/serviceaccount";

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

/// Signs such tokens.
pub struct Signer(TokenKey);

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
        TokenKey::from_pem(pem.as_bytes()).map(Self)
    }

    /// A signed token.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        self.0.token(&serde_json::to_vec(claims).expect("strings always serialise"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
        assert!(signer.0.public().verifies(signed.as_bytes(), &decode(signature)));
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
