//! Authentication: who a caller is. Authenticators are asked in turn; the first that recognises the
//! credentials answers. Credentials that none recognises are refused (401); a caller with none at all is
//! anonymous.

pub mod bootstrap_token;
pub mod certificate;
pub mod living;
pub mod service_account;

use futures::future::BoxFuture;
use nakhoda_api::Status;

use crate::request::Caller;
use crate::user::User;

/// Recognises one kind of credentials.
pub trait Authenticator: Send + Sync {
    /// `Ok(None)`: these are not credentials of this kind. An error is 401 or 503.
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>>;
}

/// Asks each authenticator in turn.
pub struct Union(pub Vec<Box<dyn Authenticator>>);

// === impl Union ===

impl Union {
    /// Who the caller is.
    pub async fn identify(&self, caller: &Caller) -> Result<User, Status> {
        for authenticator in &self.0 {
            if let Some(user) = authenticator.authenticate(caller).await? {
                return Ok(user);
            }
        }
        // A token that nobody knows is a failed attempt, not an anonymous request.
        if caller.bearer.is_some() { Err(Status::unauthorized()) } else { Ok(User::anonymous()) }
    }
}
