//! Bearer tokens of service accounts, checked against the live account, and against the pod or the
//! Secret that they are bound to. Of tokens that lie in Secrets, `legacy.rs` knows more.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;

use super::bearer::{Notes, Recognised, Refusal, TokenAuthenticator};
use super::legacy::{self, Uses};
use crate::identity::legacy::ISSUER as LEGACY;
use crate::identity::{Bound, Claims, Issuer, TokenError};

/// Finds the uid of a live object; reads a cache.
pub trait Living: Send + Sync {
    /// The uid of the object of a core resource (`pods`, `secrets`, `serviceaccounts`, `nodes`), or
    /// `None` if it is not there. The cache may lag a write, so a miss is asked again of the store.
    fn uid<'a>(&'a self, resource: &'a str, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Option<String>>;

    /// The object as JSON, found in the same way.
    fn object<'a>(&'a self, resource: &'a str, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Option<Bytes>>;
}

/// The authenticator.
#[derive(Clone)]
pub struct Tokens {
    issuer: Arc<Issuer>,
    living: Arc<dyn Living>,
    uses: Uses,
}

// === impl Tokens ===

impl Tokens {
    /// Accepts the tokens of this issuer.
    pub fn new(issuer: Arc<Issuer>, living: Arc<dyn Living>, uses: Uses) -> Self {
        Self { issuer, living, uses }
    }

    async fn review(&self, token: &str, audiences: &[String]) -> Result<Option<Recognised>, TokenError> {
        match self.issuer.verify(token, audiences, Timestamp::now().as_second()) {
            Ok((claims, audiences)) if self.is_alive(&claims).await => {
                let notes = self.lying(token, &claims).await?;
                Ok(Some(Recognised { notes, ..Recognised::of(claims.user(), audiences) }))
            }
            Ok(_) => Err(TokenError::Expired),
            Err(TokenError::Foreign) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is to be told of a token that lies in a Secret, if it is still good.
    async fn lying(&self, token: &str, claims: &Claims) -> Result<Notes, TokenError> {
        let private = &claims.private;
        let Some(secret) = private.secret.as_ref().filter(|_| claims.iss == LEGACY) else {
            return Ok(Notes::default());
        };
        let (namespace, account) = (private.namespace.as_str(), private.serviceaccount.name.as_str());
        let found = self.living.object("secrets", namespace, &secret.name).await.ok_or(TokenError::Gone)?;
        let account = self.living.object("serviceaccounts", namespace, account).await.ok_or(TokenError::Gone)?;
        let (Ok(secret), Ok(account)) = (serde_json::from_slice(&found), serde_json::from_slice(&account)) else {
            return Err(TokenError::Gone);
        };
        legacy::judge(token, &secret, &account, &self.uses, Timestamp::now())
    }

    async fn is_alive(&self, claims: &Claims) -> bool {
        let private = &claims.private;
        let bound: [(&str, &str, Option<&Bound>); 3] = [
            ("serviceaccounts", &private.namespace, Some(&private.serviceaccount)),
            ("pods", &private.namespace, private.pod.as_ref()),
            ("secrets", &private.namespace, private.secret.as_ref()),
        ];
        for (resource, namespace, object) in bound {
            let Some(object) = object else { continue };
            let uid = self.living.uid(resource, namespace, &object.name).await;
            // upstream's own tokens in Secrets do not tell which Secret of the name
            if uid.is_none_or(|uid| uid != object.uid && !(resource == "secrets" && object.uid.is_empty())) {
                return false;
            }
        }
        true
    }
}

impl TokenAuthenticator for Tokens {
    fn recognise<'a>(
        &'a self,
        token: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Recognised>, Refusal>> {
        async move { Ok(self.review(token, audiences).await.map_err(Box::new)?) }.boxed()
    }
}
