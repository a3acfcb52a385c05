//! Service-account tokens: who signs them, what they say, and how they are read back
//! (`k8s.io/kubernetes/pkg/serviceaccount`). One key signs; further ones may check what was signed before.
//!
//! Absent: external signers.

pub mod claims;
pub mod legacy;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nakhoda_daemon::pki::token_key::{PublicKey, TokenKey};

pub use claims::{Bound, Claims, Private};

/// Signs tokens and reads its own.
pub struct Issuer {
    /// `iss`.
    pub url: String,
    /// The audience of tokens that name none, and the one the API server demands.
    pub audiences: Vec<String>,
    key: TokenKey,
    others: Vec<PublicKey>,
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT of this issuer at all: another authenticator may know it.
    #[error("the token was not issued here")]
    Foreign,
    /// The signature or the shape is wrong.
    #[error("go-jose/go-jose: error in cryptographic primitive")]
    Signature,
    /// Its time is over.
    #[error("service account token has expired")]
    Expired,
    /// Its time has not come.
    #[error("service account token is not valid yet")]
    Early,
    /// Its Secret holds another one by now.
    #[error("Token does not match server's copy")]
    Replaced,
    /// Its Secret is gone.
    #[error("Token has been invalidated")]
    Gone,
    /// It was unused for so long that it is not good any more.
    #[error(
        "the token in secret {namespace}/{secret} for service account {namespace}/{account} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token"
    )]
    Marked {
        /// Where.
        namespace: String,
        /// Its Secret.
        secret: String,
        /// Its account.
        account: String,
    },
    /// It is for others.
    #[error("token audiences {} is invalid for the target audiences {}", printed(.own), printed(.wanted))]
    Audience {
        /// For whom it is.
        own: Vec<String>,
        /// For whom it should be.
        wanted: Vec<String>,
    },
}

/// Clocks may differ by so many seconds.
const LEEWAY: i64 = 60;

// === impl Issuer ===

impl Issuer {
    /// An issuer with its key.
    #[must_use]
    pub fn new(url: impl Into<String>, key: TokenKey) -> Self {
        let url = url.into();
        Self { audiences: vec![url.clone()], url, key, others: Vec::new() }
    }

    /// The same, with further keys that check tokens.
    #[must_use]
    pub fn with(self, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut others: Vec<PublicKey> = Vec::new();
        for key in keys {
            if key != *self.key.public() && !others.contains(&key) {
                others.push(key);
            }
        }
        Self { others, ..self }
    }

    /// The keys that check tokens.
    fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        std::iter::once(self.key.public()).chain(&self.others)
    }

    /// How tokens are signed: every algorithm once, in order.
    #[must_use]
    pub fn algorithms(&self) -> BTreeSet<&'static str> {
        self.keys().map(PublicKey::algorithm).collect()
    }

    /// The public keys as a JWKS document.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": self.keys().map(PublicKey::jwk).collect::<Vec<_>>() })
    }

    /// A signed token.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        self.key.token(&serde_json::to_vec(claims).expect("claims always serialise"))
    }

    /// What a token says, if it was signed here, is in force, and is for one of the audiences; those
    /// of them that it is for come along.
    pub fn verify(&self, token: &str, audiences: &[String], now: i64) -> Result<(Claims, Vec<String>), TokenError> {
        let claims = self.signed_here(token)?;
        if now > claims.exp + LEEWAY {
            return Err(TokenError::Expired);
        }
        if now < claims.nbf - LEEWAY {
            return Err(TokenError::Early);
        }
        let wanted = if audiences.is_empty() { self.audiences.clone() } else { audiences.to_vec() };
        let shared: Vec<String> = wanted.iter().filter(|a| claims.aud.contains(a)).cloned().collect();
        if shared.is_empty() {
            return Err(TokenError::Audience { own: claims.aud, wanted });
        }
        Ok((claims, shared))
    }

    fn signed_here(&self, token: &str) -> Result<Claims, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Foreign)?;
        let (_, body) = signed.split_once('.').ok_or(TokenError::Foreign)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Foreign);
        let claims = self.read(&decode(body)?)?;
        let signature = decode(signature)?;
        let known = self.keys().any(|key| key.verifies(signed.as_bytes(), &signature));
        if known { Ok(claims) } else { Err(TokenError::Signature) }
    }

    fn read(&self, body: &[u8]) -> Result<Claims, TokenError> {
        let payload: serde_json::Value = serde_json::from_slice(body).map_err(|_| TokenError::Foreign)?;
        let claims: Result<Claims, _> = match payload["iss"].as_str() {
            Some(issuer) if issuer == self.url => serde_json::from_value(payload),
            Some(legacy::ISSUER) => {
                serde_json::from_value(payload).map(|legacy: legacy::Legacy| legacy.into_claims(&self.audiences))
            }
            _ => return Err(TokenError::Foreign),
        };
        claims.map_err(|_| TokenError::Foreign)
    }
}

/// A list as Go prints it.
fn printed(texts: &[String]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        let account = Bound { name: "bot".into(), uid: "u".into() };
        let private = Private { namespace: "a".into(), serviceaccount: account, ..Private::default() };
        Claims::new("https://k", vec!["https://k".into()], private, 1000, 600)
    }

    #[test]
    fn a_token_is_read_back_until_it_expires() {
        let issuer = Issuer::new("https://k", TokenKey::generate().expect("a key"));
        let token = issuer.sign(&claims());
        let (read, audiences) = issuer.verify(&token, &[], 1300).expect("accepted");
        assert_eq!((read.sub.as_str(), audiences), ("system:serviceaccount:a:bot", vec!["https://k".to_owned()]));
        assert_eq!(issuer.verify(&token, &[], 2000), Err(TokenError::Expired));
        assert_eq!(
            issuer.verify(&token, &["other".into()], 1300).expect_err("for others").to_string(),
            r#"token audiences ["https://k"] is invalid for the target audiences ["other"]"#
        );
    }

    #[test]
    fn a_token_of_a_secret_is_read_back_for_ever_with_what_it_is_bound_to() {
        let issuer = Issuer::new("https://k", TokenKey::generate().expect("a key"));
        let prefix = "kubernetes.io/serviceaccount/";
        let mut body = serde_json::json!({"iss": legacy::ISSUER, "sub": "system:serviceaccount:a:bot"});
        let facts = [("namespace", "a"), ("secret.name", "s"), ("secret.uid", "su")];
        let account = [("service-account.name", "bot"), ("service-account.uid", "u")];
        for (key, value) in facts.into_iter().chain(account) {
            body[format!("{prefix}{key}")] = value.into();
        }
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(r#"{"alg":"ES256"}"#.into()), encode(body.to_string()));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(issuer.key.sign(signed.as_bytes())));
        let (read, _) = issuer.verify(&token, &[], i64::MAX / 4).expect("accepted");
        assert_eq!(read.private.secret, Some(Bound { name: "s".into(), uid: "su".into() }));
        assert_eq!(read.user().name, "system:serviceaccount:a:bot");
        assert!(matches!(issuer.verify(&token, &["other".into()], 0), Err(TokenError::Audience { .. })));
    }

    #[test]
    fn a_key_that_does_not_sign_any_more_still_checks() {
        let old = TokenKey::generate().expect("a key");
        let public = old.public().clone();
        let before = Issuer::new("https://k", old);
        let after = Issuer::new("https://k", TokenKey::generate().expect("a key")).with([public.clone(), public]);
        assert!(after.verify(&before.sign(&claims()), &[], 1300).is_ok());
        assert_eq!(after.jwks()["keys"].as_array().map(Vec::len), Some(2));
        assert_eq!(before.verify(&after.sign(&claims()), &[], 1300), Err(TokenError::Signature));
    }

    #[test]
    fn a_changed_or_foreign_token_is_refused() {
        let issuer = Issuer::new("https://k", TokenKey::generate().expect("a key"));
        let other = Issuer::new("https://k", TokenKey::generate().expect("a key"));
        assert_eq!(issuer.verify(&other.sign(&claims()), &[], 1300), Err(TokenError::Signature));
        assert_eq!(issuer.verify("abc", &[], 1300), Err(TokenError::Foreign));
    }
}
