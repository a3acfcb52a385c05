//! `status`: a write changes the status and the descriptive metadata (labels, annotations, finalizers),
//! nothing else; a read is that of the object.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::Handler;
use crate::request::Action;
use crate::response::Response;
use crate::verb::patch::Patched;
use crate::verb::update::{Mode, change, check_name};
use crate::verb::{Call, body, get, managed, meta};

/// What of the metadata a status write applies. Who owns what is told by an apply; others are not listened to.
const APPLIED: [&str; 4] = ["labels", "annotations", "finalizers", managed::FIELD];

/// The handler.
pub struct StatusWrite;

impl Handler for StatusWrite {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Get { resource_version } => get::get(call, &resource_version).await,
                Action::Update(write) => {
                    let given = body::read_as(&write.body, &call.kind, write.options.validation)?;
                    check_name(&given.object, call)?;
                    let make = |old: Option<&Object>| merge(call, old, &given.object);
                    let mut response = change(call, &make, Mode::Chain, &write.options).await?;
                    response.warnings.splice(0..0, given.warnings);
                    Ok(response)
                }
                Action::Patch(write) => {
                    let patched = Patched::new(call, &write)?;
                    let make = |old: Option<&Object>| merge(call, old, &patched.make(old)?);
                    patched.finish(change(call, &make, patched.mode(), &write.options).await?)
                }
                _ => Err(call.unsupported("status")),
            }
        })
    }
}

/// The old object with what a status write applies of the new one.
fn merge(call: &Call, old: Option<&Object>, new: &Object) -> Result<Object, Status> {
    let mut merged = old.ok_or_else(|| call.not_found())?.clone();
    take(&mut merged, new, &["status"]);
    describe(&mut merged, new);
    meta::condition(&mut merged, new);
    Ok(merged)
}

/// Applies the descriptive metadata of the new object.
pub(super) fn describe(merged: &mut Object, new: &Object) {
    for field in APPLIED {
        take(merged, new, &["metadata", field]);
    }
}

fn take(merged: &mut Object, new: &Object, path: &[&str]) {
    match new.at(path) {
        Some(value) => merged.set_at(path, value.clone()),
        None => {
            merged.remove_at(path);
        }
    }
}
