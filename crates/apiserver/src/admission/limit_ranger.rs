//! LimitRanger: containers that do not say what they need get the namespace's defaults, and nothing asks for
//! less or more than a LimitRange allows, running pods that are resized included.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{LimitRange, PersistentVolumeClaim, Pod};
use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};

mod bounds;
mod defaults;

pub(crate) use bounds::requests;

/// The plugin.
pub struct LimitRanger;

impl Plugin for LimitRanger {
    fn name(&self) -> &'static str {
        "LimitRanger"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let (pods, claims) = (attributes.is("", "pods"), attributes.is("", "persistentvolumeclaims"));
        let mine = match (attributes.operation, attributes.subresource()) {
            (Operation::Create, "") => pods || claims,
            (Operation::Update, "") => claims,
            (Operation::Update, "resize") => pods,
            _ => false,
        };
        mine && !attributes.old.is_some_and(Object::is_terminating)
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            if !attributes.is("", "pods") {
                return Ok(());
            }
            for range in ranges(attributes) {
                defaults::fill(new, &range);
            }
            Ok(())
        })
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(new) = object else { return Ok(()) };
            let unreadable = |error| Status::internal(&error);
            for range in ranges(attributes) {
                let faults = if attributes.is("", "pods") {
                    bounds::pod(&range, &new.typed::<Pod>().map_err(unreadable)?)
                } else {
                    bounds::claim(&range, &new.typed::<PersistentVolumeClaim>().map_err(unreadable)?)
                };
                if !faults.is_empty() {
                    return Err(attributes.forbidden(object, &told(faults)));
                }
            }
            Ok(())
        })
    }
}

/// The namespace's ranges, as the cache has them.
fn ranges(attributes: &Attributes<'_>) -> Vec<LimitRange> {
    attributes.call.pipeline.storage().list::<LimitRange>(Some(attributes.call.namespace()))
}

/// Several faults stand in brackets, each once.
fn told(faults: Vec<String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for fault in faults {
        if !once.contains(&fault) {
            once.push(fault);
        }
    }
    if once.len() == 1 { once.remove(0) } else { format!("[{}]", once.join(", ")) }
}

/// The containers of a pod under `spec.FIELD`.
fn containers(pod: &Object, field: &str) -> Vec<Value> {
    pod.at(&["spec", field]).and_then(Value::as_array).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
