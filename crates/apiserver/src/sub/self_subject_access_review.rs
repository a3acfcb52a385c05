//! SelfSubjectAccessReview: may I do something?

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::authorization::SelfSubjectAccessReview;

use super::{Handler, access, review};
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// The handler.
pub struct SelfSubjectAccess;

impl Handler for SelfSubjectAccess {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(review::answer(call, action, async |asked: &mut SelfSubjectAccessReview| {
            let spec = &asked.spec;
            access::one_question(call, spec.resource_attributes.is_some(), spec.non_resource_attributes.is_some())?;
            let mut errors = Errors::default();
            review::selectors::check(spec.resource_attributes.as_ref(), &mut errors);
            if !errors.is_empty() {
                return Err(access::invalid(call, &errors));
            }
            let (resource, path) = (spec.resource_attributes.as_ref(), spec.non_resource_attributes.as_ref());
            asked.status = Some(review::decide(call, call.user.clone(), resource, path).await);
            Ok(())
        }))
    }
}
