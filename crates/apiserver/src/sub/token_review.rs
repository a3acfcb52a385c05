//! TokenReview: whose token is this?

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_api::kinds::authentication::{TokenReview, TokenReviewStatus, UserInfo};

use super::{Handler, review};
use crate::authn::Bearer;
use crate::request::Action;
use crate::response::Response;
use crate::user::User;
use crate::verb::Call;

/// The handler.
pub struct TokenReviews;

impl Handler for TokenReviews {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(review::answer(call, action, async |asked: &mut TokenReview| {
            let token = asked.spec.token.clone();
            if token.is_empty() {
                return Err(Status::bad_request("token is required for TokenReview in authentication"));
            }
            let audiences = asked.spec.audiences.clone().unwrap_or_default();
            asked.status = Some(judge(call, &token, &audiences).await?);
            Ok(())
        }))
    }
}

async fn judge(call: &Call, token: &str, audiences: &[String]) -> Result<TokenReviewStatus, Status> {
    let tokens = call.pipeline.extension::<Bearer>();
    let tokens = tokens.ok_or_else(|| Status::failure(500, nakhoda_api::Reason::InternalError, "this server knows no tokens"))?;
    Ok(match tokens.review(token, audiences).await {
        Ok(Some(found)) => TokenReviewStatus {
            authenticated: Some(true),
            user: Some(info(found.user.authenticated())),
            audiences: Some(found.audiences),
            error: None,
        },
        Ok(None) => refused("invalid bearer token".into()),
        Err(error) => refused(format!("[invalid bearer token, {error}]")),
    })
}

fn refused(error: String) -> TokenReviewStatus {
    TokenReviewStatus { error: Some(error), user: Some(UserInfo::default()), ..TokenReviewStatus::default() }
}

/// A user as reviews tell it.
#[must_use]
pub fn info(user: User) -> UserInfo {
    UserInfo {
        username: Some(user.name),
        uid: (!user.uid.is_empty()).then_some(user.uid),
        groups: Some(user.groups),
        extra: (!user.extra.is_empty()).then(|| user.extra.into_iter().collect()),
    }
}
