//! `scale`: autoscaling/v1 Scale over anything that has `spec.replicas`, `status.replicas` and
//! `spec.selector`, whichever form the selector has.

use futures::future::BoxFuture;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::meta::LabelSelector as TypedSelector;
use nakhoda_api::selector::{LabelSelector, labels};
use nakhoda_api::{GroupVersionKind, Object, Status};
use serde_json::{Map, Value};

use super::Handler;
use crate::custom::scale::Paths;
use crate::request::{Action, PatchWrite, WriteOptions};
use crate::response::{Answer, Response};
use crate::verb::patch::Patched;
use crate::verb::update::{Mode, change, check_name};
use crate::verb::managed::{self, Scaled};
use crate::verb::{Call, body, get, write};

/// The handler.
pub struct Scale;

impl Handler for Scale {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let response = match action {
                Action::Get { resource_version } => get::get(call, &resource_version).await?,
                Action::Update(write) => {
                    let given = body::read(&write.body, &gvk(), write.options.validation)?;
                    check_name(&given.object, call)?;
                    let make = |old: Option<&Object>| {
                        same_uid(call, old, &given.object)?;
                        written(call, old, &write.options, |_| Ok(given.object.clone()))
                    };
                    let mut response = change(&whole(call), &make, Mode::Owned, &write.options).await?;
                    response.warnings.splice(0..0, given.warnings);
                    response
                }
                Action::Patch(write) => {
                    let patched = Patched::new(call, &write)?;
                    let make = |old: Option<&Object>| {
                        if patched.mode() == Mode::Owned {
                            return applied(call, old, &write, &patched);
                        }
                        written(call, old, &write.options, |scale| patched.apply(scale, &gvk()))
                    };
                    patched.finish(change(&whole(call), &make, Mode::Owned, &write.options).await?)?
                }
                _ => return Err(call.unsupported("scale")),
            };
            show(call, response).await
        })
    }
}

fn gvk() -> GroupVersionKind {
    GroupVersionKind::new("autoscaling", "v1", "Scale")
}

/// The uid of a Scale is a precondition that the store itself refuses, and says so.
fn same_uid(call: &Call, old: Option<&Object>, scale: &Object) -> Result<(), Status> {
    let Some(old) = old.filter(|old| !scale.uid().is_empty() && scale.uid() != old.uid()) else { return Ok(()) };
    let key = String::from_utf8_lossy(&call.key(old.name())).into_owned();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in object meta: {}",
        scale.uid(),
        old.uid()
    );
    Err(Status::conflict(&call.resource(), old.name(), &why))
}

/// The write goes to the object itself, so that its spec is counted and checked like any other change.
fn whole(call: &Call) -> Call {
    call.on(&call.kind, call.namespace(), &call.target.name)
}

async fn show(call: &Call, response: Response) -> Result<Response, Status> {
    let object = match &response.answer {
        Answer::Item { item, .. } | Answer::Created { item, .. } => write::decode(call, item).await?,
        Answer::Object { object, .. } => (**object).clone(),
        _ => return Ok(response),
    };
    let answer = Answer::Object { kind: None, object: Box::new(scale(call, &object)?), created: false };
    Ok(Response { answer, warnings: response.warnings })
}

/// The Scale of an object.
fn scale(call: &Call, object: &Object) -> Result<Object, Status> {
    let paths = call.kind.strategy.scale();
    let mut scale = Object::of(&gvk());
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.at(&["metadata", field]) {
            scale.set_meta(field, value.clone());
        }
    }
    let count = |path: &[&str]| object.at(path).and_then(Value::as_i64).unwrap_or(0);
    let (wanted, present) = places(paths);
    let replicas = count(&wanted);
    let mut spec = Map::new();
    if replicas != 0 {
        spec.insert("replicas".into(), replicas.into());
    }
    scale.root_mut().insert("spec".into(), spec.into());
    scale.set_at(&["status", "replicas"], count(&present).into());
    let selector = match paths {
        Some(paths) => object.str_at(&steps(&paths.selector)).unwrap_or_default().to_owned(),
        None => selector(object.at(&["spec", "selector"]))?,
    };
    if !selector.is_empty() {
        scale.set_at(&["status", "selector"], selector.into());
    }
    Ok(scale)
}

/// Where the wished and the present number stand.
fn places(paths: Option<&Paths>) -> (Vec<&str>, Vec<&str>) {
    match paths {
        Some(paths) => (steps(&paths.wanted), steps(&paths.present)),
        None => (vec!["spec", "replicas"], vec!["status", "replicas"]),
    }
}

fn steps(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// The selector as text, from a map (replication controllers) or a label selector.
fn selector(value: Option<&Value>) -> Result<String, Status> {
    let Some(Value::Object(map)) = value else { return Ok(String::new()) };
    let parsed: LabelSelector = if map.values().all(Value::is_string) {
        LabelSelector::from_map(&map.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().into())).collect())
    } else {
        let typed: TypedSelector =
            serde_json::from_value(Value::Object(map.clone())).map_err(|error| Status::internal(&error))?;
        labels::from_typed(Some(&typed)).map_err(|error| Status::internal(&error))?
    };
    Ok(parsed.to_string())
}

/// The object after its Scale was changed, with the owners of its replicas.
fn written(
    call: &Call,
    old: Option<&Object>,
    options: &WriteOptions,
    change: impl FnOnce(&Object) -> Result<Object, Status>,
) -> Result<Object, Status> {
    let object = old.ok_or_else(|| call.not_found())?;
    let before = scale(call, object)?;
    let after = change(&before)?;
    let mut new = apply(call, old, &after)?;
    scaled(call, object, options).track(&before, &after, &mut new);
    Ok(new)
}

/// The object after a Scale was applied.
fn applied(call: &Call, old: Option<&Object>, patch: &PatchWrite, patched: &Patched<'_>) -> Result<Object, Status> {
    let object = old.ok_or_else(|| call.not_found())?;
    let (after, owners, warnings) = scaled(call, object, &patch.options).apply(&scale(call, object)?, patch)?;
    let mut new = apply(call, old, &after)?;
    managed::put(&mut new, owners);
    patched.warn(warnings);
    Ok(new)
}

fn scaled<'a>(call: &'a Call, object: &'a Object, options: &'a WriteOptions) -> Scaled<'a> {
    Scaled { call, object, path: places(call.kind.strategy.scale()).0, options }
}

/// The object with the replicas of a Scale.
fn apply(call: &Call, old: Option<&Object>, scale: &Object) -> Result<Object, Status> {
    let old = old.ok_or_else(|| call.not_found())?;
    let replicas = scale.at(&["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(0);
    if replicas < 0 && call.kind.strategy.scale().is_none() {
        let mut errors = Errors::default();
        errors.invalid(&Path::new("spec").child("replicas"), replicas, "must be greater than or equal to 0");
        return Err(Status::invalid(&gvk().group_kind(), old.name(), &errors));
    }
    let mut new = old.clone();
    new.set_at(&places(call.kind.strategy.scale()).0, replicas.into());
    for field in ["uid", "resourceVersion"] {
        if !scale.meta_str(field).is_empty() {
            new.set_meta(field, scale.meta_str(field));
        }
    }
    Ok(new)
}
