//! `namespaces/finalize`: changes `spec.finalizers`; the namespace goes with the last of them.

use futures::future::BoxFuture;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{Object, Status, names};
use serde_json::Value;

use super::Handler;
use crate::request::{Action, WriteOptions};
use crate::response::Response;
use crate::verb::update::{Mode, change, check_name};
use crate::verb::{Call, body, managed, meta};

/// Finalizers that need no domain.
const STANDARD: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];

/// The handler.
pub struct Finalize;

impl Handler for Finalize {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Update(write) = action else { return Err(call.unsupported("finalize")) };
            let given = body::read(&write.body, &call.kind.info.gvk, write.options.validation)?;
            check_name(&given.object, call)?;
            check(call, &given.object)?;
            let make = |old: Option<&Object>| apply(call, old, &given.object, &write.options);
            change(call, &make, Mode::Raw, &write.options).await
        })
    }
}

fn check(call: &Call, new: &Object) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("spec").child("finalizers");
    for (index, finalizer) in finalizers(new).iter().enumerate() {
        for fault in names::is_qualified_name(finalizer) {
            errors.invalid(&path.index(index), *finalizer, fault);
        }
        if !STANDARD.contains(finalizer) && !finalizer.contains('/') {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&path.index(index), *finalizer, why);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid(&call.kind.info.gvk.group_kind(), new.name(), &errors)) }
}

fn finalizers(object: &Object) -> Vec<&str> {
    let list = object.at(&["spec", "finalizers"]).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn apply(call: &Call, old: Option<&Object>, new: &Object, options: &WriteOptions) -> Result<Object, Status> {
    let old = old.ok_or_else(|| call.not_found())?;
    let mut merged = old.clone();
    match new.at(&["spec", "finalizers"]) {
        Some(list) => merged.set_at(&["spec", "finalizers"], list.clone()),
        None => {
            merged.remove_at(&["spec", "finalizers"]);
        }
    }
    merged.remove_meta(managed::FIELD);
    managed::track(call, Some(old), &mut merged, None, options);
    managed::settle(&mut merged, old);
    meta::condition(&mut merged, new);
    Ok(merged)
}
