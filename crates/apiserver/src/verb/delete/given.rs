//! DeleteOptions as they came.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_api::wire::{self, Media};
use nakhoda_api::{GroupKind, GroupVersionKind, Object, Status};

use crate::request::{Body, Deletion};
use crate::verb::Call;

const POLICIES: [&str; 4] = ["Foreground", "Background", "Orphan", "nil"];

/// The options of a deletion; empty ones if it has no body.
pub fn options(call: &Call, deletion: &Deletion) -> Result<DeleteOptions, Status> {
    let Some(body) = &deletion.body else { return Ok(DeleteOptions::default()) };
    let options = read(call, body)?;
    check(&options)?;
    Ok(options)
}

fn read(call: &Call, body: &Body) -> Result<DeleteOptions, Status> {
    let object = match body {
        Body::Object(object) => (**object).clone(),
        Body::Bytes { bytes, .. } if bytes.is_empty() => return Ok(DeleteOptions::default()),
        // the options exist in every group version, and a client may name any of them
        Body::Bytes { media: Media::Json, bytes } => Object::from_json(bytes).map_err(|error| {
            Status::bad_request(format!("error decoding DeleteOptions: {}", nakhoda_api::status::chain(&error)))
        })?,
        Body::Bytes { media, bytes } => {
            let gvk = GroupVersionKind::new("", "v1", "DeleteOptions");
            wire::decode(*media, bytes, Some(&gvk)).map_err(|e| e.status("v1", "DeleteOptions", bytes))?.object
        }
    };
    if !object.kind().is_empty() && object.kind() != "DeleteOptions" {
        return Err(Status::bad_request(format!(
            "{} cannot be handled as DeleteOptions of {}",
            object.kind(),
            call.resource()
        )));
    }
    object.typed().map_err(|error| Status::bad_request(nakhoda_api::status::chain(&error)))
}

fn check(options: &DeleteOptions) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("propagationPolicy");
    if let Some(policy) = &options.propagation_policy {
        if options.orphan_dependents.is_some() {
            errors.invalid(&path, policy.as_str(), "orphanDependents and deletionPropagation cannot be both set");
        }
        if !POLICIES[..3].contains(&policy.as_str()) {
            errors.not_supported(&path, policy.as_str(), &POLICIES);
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let kind = GroupKind { group: "meta.k8s.io".into(), kind: "DeleteOptions".into() };
    Err(Status::invalid(&kind, "", &errors))
}
