//! PATCH: JSON patch, merge patch, strategic merge patch, apply.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::patch::{self, PatchKind};
use nakhoda_api::{GroupKind, Object, Status};
use parking_lot::Mutex;

use super::update::{Mode, change, check_name};
use super::{Call, body, managed};
use crate::request::{FieldValidation, PatchWrite};
use crate::response::Response;

/// Patches the object.
pub async fn patch(call: &Call, write: PatchWrite) -> Result<Response, Status> {
    let patched = Patched::new(call, &write)?;
    let make = |current: Option<&Object>| patched.make(current);
    patched.finish(change(call, &make, patched.mode(), &write.options).await?)
}

/// A patch that may be made several times over, and the warnings of the last time.
pub struct Patched<'a> {
    call: &'a Call,
    write: &'a PatchWrite,
    warnings: Mutex<Vec<String>>,
}

/// 415 of a custom kind: there are no merge keys in a schema.
#[must_use]
pub fn unknown_to_custom() -> Status {
    let known = [PatchKind::Json, PatchKind::Merge, PatchKind::Apply].map(PatchKind::mime);
    Status::unsupported_media_type(format!(
        "the body of the request was in an unknown format - accepted media types include: {}",
        known.join(", ")
    ))
}

/// A Scale has a known type, whatever it is of.
fn is_scale(call: &Call) -> bool {
    call.target.subresource == "scale"
}

// === impl Patched ===

impl<'a> Patched<'a> {
    /// 415 if this kind of patch is not done for the kind, 422 if an apply does not say whose it is.
    pub fn new(call: &'a Call, write: &'a PatchWrite) -> Result<Self, Status> {
        if write.kind == PatchKind::Apply && write.options.field_manager.is_empty() {
            let mut errors = Errors::default();
            errors.required(&Path::new("fieldManager"), "is required for apply patch");
            let kind = GroupKind { group: "meta.k8s.io".into(), kind: "PatchOptions".into() };
            return Err(Status::invalid(&kind, "", &errors));
        }
        if write.kind == PatchKind::Strategic && call.kind.strategy.schema().is_some() && !is_scale(call) {
            return Err(unknown_to_custom());
        }
        Ok(Self { call, write, warnings: Mutex::default() })
    }

    /// How what it makes is to be written.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if self.write.kind == PatchKind::Apply { Mode::Owned } else { Mode::Chain }
    }

    /// The object after the patch, checked against its kind.
    pub fn make(&self, current: Option<&Object>) -> Result<Object, Status> {
        if self.write.kind == PatchKind::Apply {
            let (object, warnings) = managed::apply(self.call, current, self.write)?;
            check_name(&object, self.call)?;
            self.warn(warnings);
            return Ok(object);
        }
        let current = current.ok_or_else(|| self.call.not_found())?;
        let gvk = &self.call.kind.info.gvk;
        let object = self.apply(current, gvk)?;
        check_name(&object, self.call)?;
        Ok(object)
    }

    /// The object after the patch, of any kind.
    pub fn apply(&self, current: &Object, gvk: &nakhoda_api::GroupVersionKind) -> Result<Object, Status> {
        let mut patched = patch::apply_checked(self.write.kind, current, &self.write.bytes)?;
        if *gvk == self.call.kind.info.gvk {
            patched.faults.extend(self.call.kind.strategy.read(&mut patched.object)?);
        }
        if self.write.options.validation == FieldValidation::Strict {
            return patched.strict();
        }
        *self.warnings.lock() = body::faults(patched.faults, gvk, self.write.options.validation)?;
        Ok(patched.object)
    }

    /// Keeps the warnings of the last time that the patch was made.
    pub fn warn(&self, warnings: Vec<String>) {
        *self.warnings.lock() = warnings;
    }

    /// The response with the warnings of the patch before its own.
    pub fn finish(&self, mut response: Response) -> Result<Response, Status> {
        response.warnings.splice(0..0, std::mem::take(&mut *self.warnings.lock()));
        Ok(response)
    }
}
