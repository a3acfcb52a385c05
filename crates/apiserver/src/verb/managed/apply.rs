//! Server-side apply: a configuration is laid over the object, and its fields become the caller's.

use nakhoda_api::apply::{self, Applied, Conflict, Managers, Operation, Writer};
use nakhoda_api::status::{Cause, Details};
use nakhoda_api::wire;
use nakhoda_api::{GroupVersionKind, Object, Reason, Status, schema};
use serde_json::Value;

use super::{bare, before_first_apply, nothing, now, owner, with_writer, write};
use crate::request::{FieldValidation, PatchWrite};
use crate::verb::Call;

/// Where older versions of kubectl keep what they applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager that takes the place of those.
const KUBECTL: &str = "kubectl";
/// All annotations of an object together.
const ANNOTATIONS_MAX: usize = 256 << 10;

/// The object after an apply, with its owners, and the warnings of its reading. `live` is `None` if there is none yet.
pub fn apply(call: &Call, live: Option<&Object>, patch: &PatchWrite) -> Result<(Object, Vec<String>), Status> {
    let (configuration, duplicate) = configuration(&call.kind.info.gvk, patch)?;
    let object = lay(call, live, &configuration, patch)?;
    Ok((object, warnings(duplicate, patch)?))
}

/// What is applied, and the first key that stands twice in it.
pub(super) fn configuration(gvk: &GroupVersionKind, patch: &PatchWrite) -> Result<(Value, Option<String>), Status> {
    let (configuration, duplicate) =
        wire::read_yaml(&patch.bytes).map_err(|error| Status::bad_request(format!("error decoding YAML: {error}")))?;
    check(gvk, &configuration)?;
    Ok((configuration, duplicate))
}

/// Tells of a key that stands twice, or refuses it, as the request wants it.
pub(super) fn warnings(duplicate: Option<String>, patch: &PatchWrite) -> Result<Vec<String>, Status> {
    match (duplicate, patch.options.validation) {
        (Some(fault), FieldValidation::Strict) => {
            Err(Status::bad_request(format!("error strict decoding YAML: error converting YAML to JSON: {fault}")))
        }
        (Some(fault), FieldValidation::Warn) => Ok(vec![fault]),
        _ => Ok(Vec::new()),
    }
}

fn lay(call: &Call, live: Option<&Object>, configuration: &Value, patch: &PatchWrite) -> Result<Object, Status> {
    let owners = live.and_then(|live| live.at(&["metadata", super::FIELD]));
    let managers =
        Managers::decode(owners).map_err(|error| plain(format!("failed to decode managed fields: {error}")))?;
    let before = live.map_or_else(|| nothing(call), bare);
    let name = patch.options.field_manager.clone();
    let owner = owner(call, name.clone(), Operation::Apply);
    let applied = with_writer(call, |writer| {
        fits(writer, configuration)?;
        let managers = if managers.is_empty() { before_first_apply(call, writer, &before) } else { managers };
        let lay = |force| writer.apply(&before, configuration, managers.clone(), &owner, force, &now(call));
        lay(patch.force).or_else(|conflicts| match left(writer, &before, conflicts, &name, call) {
            conflicts if conflicts.is_empty() => lay(true).map_err(|conflicts| refusal(&conflicts)),
            conflicts => Err(refusal(&conflicts)),
        })
    })?;
    let mut object = read(call, &applied, &before)?;
    if name == KUBECTL {
        note(&mut object, configuration);
    }
    write(&mut object, &applied.managers);
    Ok(object)
}

/// Reads what came of the merge as an object of the kind: nulls go, quantities are canonical.
fn read(call: &Call, applied: &Applied, before: &Value) -> Result<Object, Status> {
    let value = applied.object.clone().unwrap_or_else(|| before.clone());
    let mut raw = Object::from_value(value).map_err(|error| Status::internal(&error))?;
    let refused = |raw: &Object, why: String| {
        let whole = Value::Object(raw.root().clone());
        let (place, kind) = (told(&whole), told_kind(&whole));
        plain(format!(
            "failed to convert new object ({place}) to proper version: unable to convert unstructured object to {kind}: {why}"
        ))
    };
    // upstream does not read an applied object as JSON
    if let Some(id) = schema::message_for(&call.kind.info.gvk) {
        if let Some(why) = schema::restore::fault(id, raw.root()) {
            return Err(refused(&raw, why));
        }
        schema::restore::settle(id, raw.root_mut());
    }
    let read = schema::check(&raw, Some(&call.kind.info.gvk)).map_err(|error| refused(&raw, error.to_string()))?;
    let mut object = read.object;
    call.kind.strategy.applied(&mut object)?;
    Ok(object)
}

/// Refuses fields that are unknown, and values of the wrong sort.
pub(super) fn fits(writer: &Writer<'_>, configuration: &Value) -> Result<(), Status> {
    apply::check(writer.schema.root(), configuration)
        .map_err(|error| plain(format!("failed to create typed patch object ({}): {error}", told(configuration))))
}

fn check(gvk: &GroupVersionKind, configuration: &Value) -> Result<(), Status> {
    // null, and so an empty body, is an object with nothing in it
    if !configuration.is_object() && !configuration.is_null() {
        let sort = match configuration {
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        return Err(Status::bad_request(format!(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {sort} into Go value of type map[string]interface {{}}"
        )));
    }
    let text = |field: &str| configuration.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("kind") != gvk.kind || text("apiVersion") != gvk.api_version() {
        return Err(Status::bad_request(format!("invalid object type: {}", told_kind(configuration))));
    }
    if configuration.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

/// The conflicts that are left when the caller takes over from an older version of itself.
fn left(writer: &Writer<'_>, live: &Value, conflicts: Vec<Conflict>, name: &str, call: &Call) -> Vec<Conflict> {
    let noted = || {
        let text = live.pointer("/metadata/annotations")?.get(LAST_APPLIED)?.as_str()?;
        let configuration: Value = serde_json::from_str(text).ok()?;
        let version = configuration.get("apiVersion")?.as_str()?;
        (version == call.kind.info.gvk.api_version()).then(|| writer.noted(live, &configuration))
    };
    match noted().filter(|_| name == KUBECTL) {
        Some(noted) => conflicts.into_iter().filter(|conflict| !noted.has(&conflict.path)).collect(),
        None => conflicts,
    }
}

/// Keeps what older versions of kubectl read up to date, where they wrote it once.
fn note(object: &mut Object, configuration: &Value) {
    let path = ["metadata", "annotations", LAST_APPLIED];
    if object.str_at(&path).is_none() {
        return;
    }
    let mut configuration = configuration.clone();
    if let Some(annotations) = configuration.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.shift_remove(LAST_APPLIED);
    }
    configuration.sort_all_objects();
    object.set_at(&path, format!("{configuration}\n").into());
    let size: usize = object.annotations().map(|(key, value)| key.len() + value.len()).sum();
    if size > ANNOTATIONS_MAX {
        object.remove_at(&path);
    }
}

/// 409 with each field that others own.
pub(super) fn refusal(conflicts: &[Conflict]) -> Status {
    let causes = conflicts.iter().map(|conflict| Cause {
        reason: "FieldManagerConflict".into(),
        message: format!("conflict with {}", conflict.owner),
        field: conflict.place(),
    });
    let details = Details { causes: causes.collect(), ..Details::default() };
    Status::failure(409, Reason::Conflict, message(conflicts)).with_details(details)
}

fn message(conflicts: &[Conflict]) -> String {
    if let [one] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", one.owner, one.place());
    }
    let mut lines = Vec::new();
    let mut last = None;
    for conflict in conflicts {
        if last != Some(&conflict.owner) {
            lines.push(format!("conflicts with {}:", conflict.owner));
            last = Some(&conflict.owner);
        }
        lines.push(format!("- {}", conflict.place()));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

/// Upstream gives these faults no reason.
fn plain(message: String) -> Status {
    Status::failure(500, Reason::Unknown, message)
}

/// Namespace, name and kind, as upstream tells of objects here.
fn told(object: &Value) -> String {
    let text = |field: &str| object.pointer(field).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}; {}", text("/metadata/namespace"), text("/metadata/name"), told_kind(object))
}

fn told_kind(object: &Value) -> String {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let GroupVersionKind { group, version, kind } = match nakhoda_api::GroupVersion::parse(text("apiVersion")) {
        Some(gv) => GroupVersionKind { group: gv.group, version: gv.version, kind: text("kind").into() },
        None if text("apiVersion").is_empty() => {
            GroupVersionKind { kind: text("kind").into(), ..GroupVersionKind::default() }
        }
        None => GroupVersionKind::default(),
    };
    format!("{group}/{version}, Kind={kind}")
}
