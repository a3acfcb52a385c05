//! What must hold before an update is worked on.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{GroupKind, Object, Status};
use nakhoda_store::cache::Item;

use crate::verb::{Call, outcome};

/// 400 if a body is about another object than the request.
pub fn check_name(object: &Object, call: &Call) -> Result<(), Status> {
    let (name, wanted) = (object.name(), &call.target.name);
    if name.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        )));
    }
    if name != wanted {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({wanted})"
        )));
    }
    let (given, namespace) = (object.namespace(), call.namespace());
    if !namespace.is_empty() && !given.is_empty() && given != namespace {
        return Err(Status::bad_request(format!(
            "the namespace of the object ({given}) does not match the namespace on the request ({namespace})"
        )));
    }
    Ok(())
}

/// An apply does not state the uid as a precondition: naming another one is a change, which upstream refuses twice over.
pub(super) fn identity(call: &Call, new: &Object, old: &Object) -> Result<(), Status> {
    if new.uid().is_empty() || new.uid() == old.uid() {
        return Ok(());
    }
    let mut errors = Errors::default();
    for _ in 0..2 {
        errors.invalid(&Path::new("metadata").child("uid"), new.uid(), "field is immutable");
    }
    Err(Status::invalid(&call.fault_kind(), new.name(), &errors))
}

/// The uid and the version that the new object names, if it names them, are those of the stored one.
pub(super) fn preconditions(call: &Call, new: &Object, old: &Object, item: &Item) -> Result<(), Status> {
    let (resource, name) = (call.resource(), &call.target.name);
    if !new.uid().is_empty() && new.uid() != old.uid() {
        let why = format!("Precondition failed: UID in precondition: {}, UID in object meta: {}", new.uid(), old.uid());
        return Err(Status::conflict(&resource, name, &why));
    }
    let given = new.resource_version();
    if given.is_empty() || given == "0" {
        if call.kind.info.unconditional_update {
            return Ok(());
        }
        let mut errors = Errors::default();
        errors.invalid(&Path::new("metadata").child("resourceVersion"), 0, "must be specified for an update");
        let kind = GroupKind { group: resource.group, kind: resource.resource };
        return Err(Status::invalid(&kind, name, &errors));
    }
    if outcome::revision(given)? == item.revision { Ok(()) } else { Err(Status::modified(&resource, name)) }
}
