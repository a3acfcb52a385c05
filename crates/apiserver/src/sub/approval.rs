//! `certificatesigningrequests/approval`: changes the conditions and the descriptive metadata only. Who may do it is
//! admission's to say.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status, time};
use serde_json::Value;

use super::{Handler, status};
use crate::request::Action;
use crate::response::Response;
use crate::verb::patch::Patched;
use crate::verb::update::{Mode, change, check_name};
use crate::verb::{Call, body, get, meta};

/// The handler.
pub struct Approval;

impl Handler for Approval {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Get { resource_version } => get::get(call, &resource_version).await,
                Action::Update(write) => {
                    let given = body::read(&write.body, &call.kind.info.gvk, write.options.validation)?;
                    check_name(&given.object, call)?;
                    let make = |old: Option<&Object>| apply(call, old, &given.object);
                    let mut response = change(call, &make, Mode::Chain, &write.options).await?;
                    response.warnings.splice(0..0, given.warnings);
                    Ok(response)
                }
                Action::Patch(write) => {
                    let patched = Patched::new(call, &write)?;
                    let make = |old: Option<&Object>| apply(call, old, &patched.make(old)?);
                    patched.finish(change(call, &make, patched.mode(), &write.options).await?)
                }
                _ => Err(call.unsupported("approval")),
            }
        })
    }
}

fn apply(call: &Call, old: Option<&Object>, new: &Object) -> Result<Object, Status> {
    let old = old.ok_or_else(|| call.not_found())?;
    let mut merged = old.clone();
    let mut conditions = new.at(&["status", "conditions"]).and_then(Value::as_array).cloned().unwrap_or_default();
    for condition in &mut conditions {
        stamp(condition, old, call.now);
    }
    merged.set_at(&["status", "conditions"], conditions.into());
    status::describe(&mut merged, new);
    meta::condition(&mut merged, new);
    Ok(merged)
}

/// Fills in the times that a condition lacks; one that did not change keeps its transition.
fn stamp(condition: &mut Value, old: &Object, now: jiff::Timestamp) {
    let now = Value::from(time::now_rfc3339(now));
    let known = old
        .at(&["status", "conditions"])
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|c| c["type"] == condition["type"] && c["status"] == condition["status"]));
    let transition = known.map(|c| c["lastTransitionTime"].clone()).filter(|t| !t.is_null());
    let Value::Object(map) = condition else { return };
    for (field, value) in [("lastUpdateTime", now.clone()), ("lastTransitionTime", transition.unwrap_or(now))] {
        if map.get(field).is_none_or(Value::is_null) {
            map.insert(field.into(), value);
        }
    }
}
