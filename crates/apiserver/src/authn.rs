//! Authentication: who a caller is. Authenticators are asked in turn; the first that recognises the
//! credentials answers. Credentials that none recognises are refused (401); a caller with none at all is
//! anonymous, where that is allowed.

pub mod anonymous;
pub mod authority;
pub mod bearer;
pub mod bootstrap_token;
pub mod certificate;
pub mod config;
pub mod front_proxy;
pub mod jwt;
pub mod legacy;
pub mod living;
pub mod service_account;
pub mod token_file;
pub mod webhook;

use futures::future::BoxFuture;
use nakhoda_api::Status;

pub use anonymous::Anonymous;
pub use bearer::{Bearer, Recognised, TokenAuthenticator};

use crate::request::Caller;
use crate::user::User;

/// Recognises one kind of credentials.
pub trait Authenticator: Send + Sync {
    /// `Ok(None)`: these are not credentials of this kind. An error is 401 or 503.
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>>;
}

/// Asks each authenticator in turn.
#[derive(Default)]
pub struct Union {
    authenticators: Vec<Box<dyn Authenticator>>,
    anonymous: Anonymous,
}

// === impl Union ===

impl Union {
    /// These, and who may come without credentials.
    #[must_use]
    pub fn new(authenticators: Vec<Box<dyn Authenticator>>, anonymous: Anonymous) -> Self {
        Self { authenticators, anonymous }
    }

    /// Who the caller is.
    pub async fn identify(&self, caller: &Caller) -> Result<User, Status> {
        for authenticator in &self.authenticators {
            if let Some(user) = authenticator.authenticate(caller).await? {
                return Ok(user.authenticated());
            }
        }
        // A token that nobody knows is a failed attempt, not an anonymous request.
        if caller.bearer.is_none() && self.anonymous.admits(caller.origin.path()) {
            Ok(User::anonymous())
        } else {
            Err(Status::unauthorized())
        }
    }
}
