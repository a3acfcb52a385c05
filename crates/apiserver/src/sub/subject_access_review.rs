//! SubjectAccessReview: may someone do something?

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_api::kinds::authorization::SubjectAccessReview;

use super::{Handler, access, review};
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// The handler.
pub struct SubjectAccess;

impl Handler for SubjectAccess {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(review::answer(call, action, async |asked: &mut SubjectAccessReview| {
            asked.status = Some(access::judge(call, &asked.spec).await?);
            Ok(())
        }))
    }
}
