//! What a service-account token says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::user::{AUTHENTICATED, User};

/// The payload of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// For whom.
    pub aud: Vec<String>,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// By whom.
    pub iss: String,
    /// Its own id.
    #[serde(default)]
    pub jti: String,
    /// The rest.
    #[serde(rename = "kubernetes.io")]
    pub private: Private,
    /// When it begins.
    pub nbf: i64,
    /// The user's name.
    pub sub: String,
}

/// Kubernetes' own claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// The account's namespace.
    pub namespace: String,
    /// The node of the pod it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Bound>,
    /// The pod it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Bound>,
    /// The Secret it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Bound>,
    /// Whose.
    pub serviceaccount: Bound,
}

/// An object that a token lives and dies with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Its name.
    pub name: String,
    /// Its uid.
    #[serde(default)]
    pub uid: String,
}

// === impl Claims ===

impl Claims {
    /// Claims in force from `now` on for so many seconds.
    #[must_use]
    pub fn new(issuer: &str, audiences: Vec<String>, private: Private, now: i64, seconds: i64) -> Self {
        let sub = format!("system:serviceaccount:{}:{}", private.namespace, private.serviceaccount.name);
        Self {
            aud: audiences,
            exp: now + seconds,
            iat: now,
            iss: issuer.into(),
            jti: uuid::Uuid::new_v4().to_string(),
            private,
            nbf: now,
            sub,
        }
    }

    /// The user that shows the token.
    #[must_use]
    pub fn user(&self) -> User {
        let mut extra = BTreeMap::new();
        let mut add = |key: &str, value: &str| {
            if !value.is_empty() {
                extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value.to_owned()]);
            }
        };
        if !self.jti.is_empty() {
            add("credential-id", &format!("JTI={}", self.jti));
        }
        for (name, bound) in [("pod", &self.private.pod), ("node", &self.private.node)] {
            if let Some(bound) = bound {
                add(&format!("{name}-name"), &bound.name);
                add(&format!("{name}-uid"), &bound.uid);
            }
        }
        let groups = vec![
            "system:serviceaccounts".into(),
            format!("system:serviceaccounts:{}", self.private.namespace),
            AUTHENTICATED.into(),
        ];
        User { name: self.sub.clone(), uid: self.private.serviceaccount.uid.clone(), groups, extra }
    }
}
