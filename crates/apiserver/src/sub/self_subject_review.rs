//! SelfSubjectReview: who am I?

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_api::kinds::authentication::{SelfSubjectReview, SelfSubjectReviewStatus};
use nakhoda_api::kinds::meta::Time;

use super::{Handler, review, token_review};
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// The handler.
pub struct SelfSubjectReviews;

impl Handler for SelfSubjectReviews {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(review::answer(call, action, async |asked: &mut SelfSubjectReview| {
            let user = token_review::info(call.user.clone());
            asked.metadata.creation_timestamp = Some(Time(call.pipeline.now()));
            asked.status = Some(SelfSubjectReviewStatus { user_info: Some(user) });
            Ok(())
        }))
    }
}
