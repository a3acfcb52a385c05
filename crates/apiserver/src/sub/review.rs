//! The reviews of authentication and authorization: questions that are answered and never stored. What
//! they share: reading the question, giving the answer back in its `status`.

use nakhoda_api::kinds::authorization::{NonResourceAttributes, ResourceAttributes, SubjectAccessReviewStatus};
use nakhoda_api::{GroupVersionResource, Object, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::authz::{Attributes, Decision};
use crate::request::{Action, ResourceTarget, Target};
use crate::response::Response;
use crate::user::User;
use crate::verb::{Call, body};

pub mod selectors;

/// Reads the question, lets it be answered, and gives it back.
pub async fn answer<T, F>(call: &Call, action: Action, reply: F) -> Result<Response, Status>
where
    T: Serialize + DeserializeOwned,
    F: AsyncFnOnce(&mut T) -> Result<(), Status>,
{
    let Action::Create(write) = action else { return Err(call.unsupported("review")) };
    let given = body::read(&write.body, &call.kind.info.gvk, write.options.validation)?;
    let mut review: T = given.object.typed().map_err(|e| Status::bad_request(e.to_string()))?;
    reply(&mut review).await?;
    let object = Object::from_typed(&review).map_err(|e| Status::internal(&e))?;
    Ok(Response { answer: call.object(object, true), warnings: given.warnings })
}

/// The authorizers' answer on one question.
pub async fn decide(
    call: &Call,
    user: User,
    resource: Option<&ResourceAttributes>,
    path: Option<&NonResourceAttributes>,
) -> SubjectAccessReviewStatus {
    let (verb, target) = match (resource, path) {
        (Some(asked), _) => (asked.verb.clone(), Target::Resource(resource_target(asked))),
        (None, Some(asked)) => (asked.verb.clone(), Target::Path(asked.path.clone().unwrap_or_default())),
        (None, None) => (None, Target::Path(String::new())),
    };
    let selected = resource.map(selectors::of).unwrap_or_default();
    let asked = Attributes {
        fields: selected.fields,
        labels: selected.labels,
        ..Attributes::new(user, verb.unwrap_or_default(), target)
    };
    let (allowed, denied, reason) = match call.pipeline.ask(&asked).await {
        Decision::Allow(reason) => (true, None, reason),
        Decision::Deny(reason) => (false, Some(true), reason),
        Decision::NoOpinion(reason) => (false, None, reason),
    };
    SubjectAccessReviewStatus {
        allowed,
        denied,
        reason: (!reason.is_empty()).then_some(reason),
        evaluation_error: (!selected.faults.is_empty()).then(|| selected.faults.join("; ")),
    }
}

fn resource_target(asked: &ResourceAttributes) -> ResourceTarget {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    ResourceTarget {
        gvr: GroupVersionResource {
            group: text(&asked.group),
            version: text(&asked.version),
            resource: text(&asked.resource),
        },
        namespace: text(&asked.namespace),
        name: text(&asked.name),
        subresource: text(&asked.subresource),
        path: String::new(),
    }
}
