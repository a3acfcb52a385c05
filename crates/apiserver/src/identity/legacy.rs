//! Tokens in Secrets of type kubernetes.io/service-account-token: they do not expire, and live and die
//! with their account and their Secret. The controller-manager signs them with the same key.

use serde::Deserialize;

use super::{Bound, Claims, Private};

/// Who signs such tokens.
pub const ISSUER: &str = "kubernetes/serviceaccount";

/// Far away, and still far from overflow.
const NEVER: i64 = i64::MAX / 2;

/// The payload of such a token.
#[derive(Clone, Debug, Deserialize)]
pub struct Legacy {
    sub: String,
    #[serde(rename = "kubernetes.io/serviceaccount/namespace")]
    namespace: String,
    #[serde(rename = "kubernetes.io/serviceaccount/secret.name")]
    secret: String,
    /// Upstream's own tokens do not say it; what the Secret holds tells as much.
    #[serde(rename = "kubernetes.io/serviceaccount/secret.uid", default)]
    secret_uid: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.name")]
    account: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.uid")]
    uid: String,
}

// === impl Legacy ===

impl Legacy {
    /// The same in the words of today's tokens: for the API server alone.
    #[must_use]
    pub fn into_claims(self, audiences: &[String]) -> Claims {
        let private = Private {
            namespace: self.namespace,
            secret: Some(Bound { name: self.secret, uid: self.secret_uid }),
            serviceaccount: Bound { name: self.account, uid: self.uid },
            ..Private::default()
        };
        Claims { aud: audiences.to_vec(), exp: NEVER, iss: ISSUER.into(), private, sub: self.sub, ..Claims::default() }
    }
}
