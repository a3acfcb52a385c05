//! PATCH: JSON patch, merge patch, strategic merge patch. Server-side apply is absent and says so.

use nakhoda_api::patch::{self, PatchKind};
use nakhoda_api::{Object, Status};
use parking_lot::Mutex;

use super::update::{Mode, change, check_name};
use super::{Call, body};
use crate::request::{FieldValidation, PatchWrite};
use crate::response::Response;

/// Patches the object.
pub async fn patch(call: &Call, write: PatchWrite) -> Result<Response, Status> {
    let patched = Patched::new(call, &write)?;
    let make = |current: Option<&Object>| patched.make(current);
    patched.finish(change(call, &make, Mode::Chain, &write.options).await?)
}

/// A patch that may be made several times over, and the warnings of the last time.
pub struct Patched<'a> {
    call: &'a Call,
    write: &'a PatchWrite,
    warnings: Mutex<Vec<String>>,
}

/// A Scale has a known type, whatever it is of.
fn is_scale(call: &Call) -> bool {
    call.target.subresource == "scale"
}

// === impl Patched ===

impl<'a> Patched<'a> {
    /// 415 if this kind of patch is not done.
    pub fn new(call: &'a Call, write: &'a PatchWrite) -> Result<Self, Status> {
        if write.kind == PatchKind::Apply {
            let known = [PatchKind::Json, PatchKind::Merge, PatchKind::Strategic].map(PatchKind::mime);
            return Err(Status::unsupported_media_type(format!(
                "server-side apply is not supported: the media types of patches that are supported include: {}",
                known.join(", ")
            )));
        }
        if write.kind == PatchKind::Strategic && call.kind.strategy.schema().is_some() && !is_scale(call) {
            // there are no merge keys in a schema
            let known = [PatchKind::Json, PatchKind::Merge, PatchKind::Apply].map(PatchKind::mime);
            return Err(Status::unsupported_media_type(format!(
                "the body of the request was in an unknown format - accepted media types include: {}",
                known.join(", ")
            )));
        }
        Ok(Self { call, write, warnings: Mutex::default() })
    }

    /// The object after the patch, checked against its kind.
    pub fn make(&self, current: Option<&Object>) -> Result<Object, Status> {
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

    /// The response with the warnings of the patch before its own.
    pub fn finish(&self, mut response: Response) -> Result<Response, Status> {
        response.warnings.splice(0..0, std::mem::take(&mut *self.warnings.lock()));
        Ok(response)
    }
}
