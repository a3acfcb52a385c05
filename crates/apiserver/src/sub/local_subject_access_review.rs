//! LocalSubjectAccessReview: may someone do something in this namespace?

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::authorization::LocalSubjectAccessReview;

use super::{Handler, access, review};
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// The handler.
pub struct LocalSubjectAccess;

impl Handler for LocalSubjectAccess {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(review::answer(call, action, async |asked: &mut LocalSubjectAccessReview| {
            let namespace = asked.spec.resource_attributes.as_ref().and_then(|r| r.namespace.as_deref());
            if namespace != Some(call.target.namespace.as_str()) {
                let mut errors = Errors::default();
                let path = Path::new("spec").child("resourceAttributes").child("namespace");
                errors.invalid(&path, namespace.unwrap_or_default(), "must match metadata.namespace");
                return Err(access::invalid(call, &errors));
            }
            asked.status = Some(access::judge(call, &asked.spec).await?);
            Ok(())
        }))
    }
}
