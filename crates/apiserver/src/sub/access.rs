//! What the access reviews share: a question about one resource or one path.

use nakhoda_api::Status;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::authorization::{SubjectAccessReviewSpec, SubjectAccessReviewStatus};

use super::review;
use crate::user::User;
use crate::verb::Call;

/// Answers for the subject that the question names.
pub async fn judge(call: &Call, spec: &SubjectAccessReviewSpec) -> Result<SubjectAccessReviewStatus, Status> {
    one_question(call, spec.resource_attributes.is_some(), spec.non_resource_attributes.is_some())?;
    let user = User {
        name: spec.user.clone().unwrap_or_default(),
        uid: spec.uid.clone().unwrap_or_default(),
        groups: spec.groups.clone().unwrap_or_default(),
        extra: spec.extra.clone().unwrap_or_default().into_iter().collect(),
    };
    let mut errors = Errors::default();
    if user.name.is_empty() && user.groups.is_empty() {
        errors.invalid(&Path::new("spec").child("user"), "", "at least one of user or group must be specified");
    }
    review::selectors::check(spec.resource_attributes.as_ref(), &mut errors);
    if !errors.is_empty() {
        return Err(invalid(call, &errors));
    }
    Ok(review::decide(call, user, spec.resource_attributes.as_ref(), spec.non_resource_attributes.as_ref()).await)
}

/// Exactly one of the two kinds of question must be put.
pub fn one_question(call: &Call, resource: bool, path: bool) -> Result<(), Status> {
    let why = match (resource, path) {
        (true, true) => "cannot be specified in combination with resourceAttributes",
        (false, false) => "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        _ => return Ok(()),
    };
    let mut errors = Errors::default();
    let field = if resource { "nonResourceAttributes" } else { "resourceAttributes" };
    errors.invalid(&Path::new("spec").child(field), serde_json::Value::Null, why);
    Err(invalid(call, &errors))
}

/// 422 of a review.
#[must_use]
pub fn invalid(call: &Call, errors: &Errors) -> Status {
    Status::invalid(&call.kind.info.gvk.group_kind(), "", errors)
}
