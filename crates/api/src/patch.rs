//! Patches: RFC 6902, RFC 7386 and Kubernetes' strategic merge. Server-side apply stands elsewhere.

mod json;
mod strategic;

pub use json::{Operated, operate};
use serde_json::Value;

use crate::status::Details;
use crate::structural::go;
use crate::{GroupKind, Object, Reason, Status, field, schema, wire};

/// The kinds of patches, by their media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// By the merge keys of the field table.
    Strategic,
    /// Server-side apply; not done by [`apply`].
    Apply,
}

// === impl PatchKind ===

impl PatchKind {
    /// The kind that a `Content-Type` names.
    #[must_use]
    pub fn parse(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        [Self::Json, Self::Merge, Self::Strategic, Self::Apply]
            .into_iter()
            .find(|kind| kind.mime().eq_ignore_ascii_case(essence))
    }

    /// The media type's name. Apply is written in YAML, of which JSON is a part.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

/// An object after a patch, read again by the rules of its kind.
#[derive(Clone, Debug)]
pub struct Patched {
    /// The object, without unknown fields.
    pub object: Object,
    /// Unknown and duplicate fields of the patch and of what came out of it.
    pub faults: Vec<String>,
    shown: String,
}

// === impl Patched ===

impl Patched {
    /// The object, or 422 if there are faults: what strict field validation asks for.
    pub fn strict(self) -> Result<Object, Status> {
        if self.faults.is_empty() {
            return Ok(self.object);
        }
        Err(invalid(&self.shown, format!("strict decoding error: {}", self.faults.join(", "))))
    }
}

/// The object after the patch. It still has to be checked against its kind: see [`apply_checked`].
pub fn apply(kind: PatchKind, current: &Object, patch: &[u8]) -> Result<Object, Status> {
    apply_noting(kind, current, patch).map(|(object, _)| object)
}

/// The object after the patch, read again as if a client had sent it.
pub fn apply_checked(kind: PatchKind, current: &Object, patch: &[u8]) -> Result<Patched, Status> {
    let (mut raw, mut faults) = apply_noting(kind, current, patch)?;
    if kind == PatchKind::Strategic
        && let Some(id) = current.gvk().and_then(|gvk| schema::message_for(&gvk))
    {
        if let Some(fault) = schema::restore::fault(id, raw.root()) {
            return Err(invalid(&shown(kind, &raw, patch), fault));
        }
        schema::restore::settle(id, raw.root_mut());
    }
    let checked = schema::check(&raw, current.gvk().as_ref());
    let decoded = checked.map_err(|e| invalid(&shown(kind, &raw, patch), e.to_string()))?;
    faults.extend(decoded.faults);
    let shown = if faults.is_empty() { String::new() } else { shown(kind, &raw, patch) };
    Ok(Patched { object: decoded.object, faults, shown })
}

/// What a fault shows: of a strategic patch the patch as Go prints it, of others what came out of them.
fn shown(kind: PatchKind, raw: &Object, patch: &[u8]) -> String {
    match wire::read_any(patch) {
        Ok((patch, _)) if kind == PatchKind::Strategic => go::print(&patch),
        _ => String::from_utf8_lossy(&raw.to_json()).into_owned(),
    }
}

fn apply_noting(kind: PatchKind, current: &Object, patch: &[u8]) -> Result<(Object, Vec<String>), Status> {
    let (patch, faults) = match kind {
        PatchKind::Apply => return Err(Status::bad_request("an apply patch is not applied as a patch")),
        _ => wire::read_any(patch).map_err(|e| Status::bad_request(format!("error decoding patch: {e}")))?,
    };
    match (kind, patch) {
        (PatchKind::Json, Value::Array(operations)) => {
            let faults = faults.into_iter().map(|fault| format!("json patch {fault}")).collect();
            Ok((json::apply(current, &operations)?, faults))
        }
        (PatchKind::Json, other) => Err(mismatch(&other, "[]handlers.jsonPatchOp")),
        (PatchKind::Merge, patch @ Value::Object(_)) => {
            let mut root = current.clone().into_value();
            json_patch::merge(&mut root, &patch);
            Ok((object(root)?, faults))
        }
        (_, Value::Object(patch)) => Ok((strategic::apply(current, patch)?, faults)),
        (_, other) => Err(mismatch(&other, "map[string]interface {}")),
    }
}

fn mismatch(found: &Value, go_type: &str) -> Status {
    let found = match found {
        Value::Null | Value::Object(_) => "object",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
    };
    let text = format!("error decoding patch: json: cannot unmarshal {found} into Go value of type {go_type}");
    Status::bad_request(text)
}

fn object(root: Value) -> Result<Object, Status> {
    Object::from_value(root).map_err(|e| Status::bad_request(e.to_string()))
}

/// 422 about the outcome of a patch.
fn invalid(shown: &str, detail: String) -> Status {
    let mut errors = field::Errors::default();
    errors.invalid(&field::Path::new("patch"), shown, detail);
    Status::invalid(&GroupKind::default(), "", &errors)
}

/// 422 of a patch that cannot be applied. Upstream does not say why.
fn rejected() -> Status {
    Status::failure(422, Reason::Invalid, "the server rejected our request due to an error in our request")
        .with_details(Details::default())
}

#[cfg(test)]
mod tests;
