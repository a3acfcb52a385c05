//! Bearer tokens: the kinds of them are asked in turn, by requests and by TokenReviews alike. A kind that fails
//! does not keep the next one from being asked.

use std::error::Error;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use nakhoda_api::Status;

use super::Authenticator;
use crate::request::Caller;
use crate::user::User;

/// Why a token of a known kind is not accepted.
pub type Refusal = Box<dyn Error + Send + Sync>;

/// Recognises one kind of bearer tokens.
pub trait TokenAuthenticator: Send + Sync {
    /// Who shows this token, and for which of the audiences (empty: the API server's own) it is. `Ok(None)`: it is
    /// not a token of this kind.
    fn recognise<'a>(
        &'a self,
        token: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Recognised>, Refusal>>;
}

/// Who shows a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Who.
    pub user: User,
    /// Those of the audiences asked for that the token is for.
    pub audiences: Vec<String>,
    /// What is to be told of it.
    pub notes: Notes,
}

/// What is to be told of a token that was shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// To the audit log, key and text.
    pub annotations: Vec<(&'static str, String)>,
    /// To the caller.
    pub warnings: Vec<&'static str>,
}

/// All kinds of tokens. Cheap to clone.
#[derive(Clone, Default)]
pub struct Bearer(Arc<Vec<Box<dyn TokenAuthenticator>>>);

/// Several refusals, or one.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join(", "))]
pub struct Refused(Vec<String>);

// === impl Recognised ===

impl Recognised {
    /// A user of whose token there is nothing to tell.
    #[must_use]
    pub fn of(user: User, audiences: Vec<String>) -> Self {
        Self { user, audiences, notes: Notes::default() }
    }
}

// === impl Bearer ===

impl Bearer {
    /// These kinds, in this order.
    #[must_use]
    pub fn new(kinds: Vec<Box<dyn TokenAuthenticator>>) -> Self {
        Self(Arc::new(kinds))
    }

    /// Who shows a token; `Ok(None)` if no kind knows it.
    pub async fn review(&self, token: &str, audiences: &[String]) -> Result<Option<Recognised>, Refused> {
        let mut refusals = Vec::new();
        for kind in self.0.iter() {
            match kind.recognise(token, audiences).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(refusal) => refusals.push(nakhoda_api::status::chain(&*refusal)),
            }
        }
        if refusals.is_empty() { Ok(None) } else { Err(Refused(refusals)) }
    }
}

impl Authenticator for Bearer {
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>> {
        async move {
            let Some(token) = &caller.bearer else { return Ok(None) };
            match self.review(token, &[]).await {
                Ok(found) => Ok(found.map(|found| {
                    caller.note(found.notes);
                    found.user
                })),
                Err(error) => {
                    tracing::debug!(%error, "token refused");
                    Err(Status::unauthorized())
                }
            }
        }
        .boxed()
    }
}

/// The audiences of a token that does not name any: the API server's own, as far as they are asked for. None if
/// others are asked for.
#[must_use]
pub fn agnostic(own: &[String], asked: &[String]) -> Option<Vec<String>> {
    if asked.is_empty() {
        return Some(own.to_vec());
    }
    let shared: Vec<_> = own.iter().filter(|audience| asked.contains(audience)).cloned().collect();
    (!shared.is_empty()).then_some(shared)
}
