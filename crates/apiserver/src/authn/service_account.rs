//! Bearer tokens of service accounts, checked against the live account, and against the pod or the
//! Secret that they are bound to.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use nakhoda_api::Status;

use super::Authenticator;
use crate::identity::{Bound, Claims, Issuer, TokenError};
use crate::request::Caller;
use crate::user::User;

/// Finds the uid of a live object; reads a cache.
pub trait Living: Send + Sync {
    /// The uid of the object of a core resource (`pods`, `secrets`, `serviceaccounts`, `nodes`), or
    /// `None` if it is not there. The cache may lag a write, so a miss is asked again of the store.
    fn uid<'a>(&'a self, resource: &'a str, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Option<String>>;
}

/// The authenticator.
#[derive(Clone)]
pub struct Tokens {
    issuer: Arc<Issuer>,
    living: Arc<dyn Living>,
}

// === impl Tokens ===

impl Tokens {
    /// Accepts the tokens of this issuer.
    pub fn new(issuer: Arc<Issuer>, living: Arc<dyn Living>) -> Self {
        Self { issuer, living }
    }

    /// Who shows this token, and for which of the audiences (empty: the API server's own) it is.
    /// `Ok(None)`: it was not issued here.
    pub async fn review(&self, token: &str, audiences: &[String]) -> Result<Option<(User, Vec<String>)>, TokenError> {
        match self.issuer.verify(token, audiences, Timestamp::now().as_second()) {
            Ok((claims, audiences)) if self.is_alive(&claims).await => Ok(Some((claims.user(), audiences))),
            Ok(_) => Err(TokenError::Expired),
            Err(TokenError::Foreign) => Ok(None),
            Err(error) => Err(error),
        }
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
            if uid.is_none_or(|uid| uid != object.uid) {
                return false;
            }
        }
        true
    }
}

impl Authenticator for Tokens {
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>> {
        async move {
            let Some(token) = &caller.bearer else { return Ok(None) };
            match self.review(token, &[]).await {
                Ok(found) => Ok(found.map(|(user, _)| user)),
                Err(error) => {
                    tracing::debug!(%error, "token refused");
                    Err(Status::unauthorized())
                }
            }
        }
        .boxed()
    }
}
