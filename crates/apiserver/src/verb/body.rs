//! Reading what a client sent: decoding, the check that it is of the expected kind, and what becomes
//! of unknown and duplicate fields.

use nakhoda_api::{GroupVersionKind, Object, Status, schema, wire};

use crate::kind::Served;
use crate::request::{Body, FieldValidation};

/// An object and the warnings that its reading gave.
#[derive(Debug, Default)]
pub struct Given {
    /// The object.
    pub object: Object,
    /// Unknown and duplicate fields, where they are only warned of.
    pub warnings: Vec<String>,
}

/// Reads a body that must be of one kind.
pub fn read(body: &Body, expected: &GroupVersionKind, validation: FieldValidation) -> Result<Given, Status> {
    read_with(body, expected, Some(expected), validation, |_| Ok(Vec::new()))
}

/// Reads an object of a kind that is served, which may be a custom one.
pub fn read_as(body: &Body, kind: &Served, validation: FieldValidation) -> Result<Given, Status> {
    let gvk = &kind.info.gvk;
    // what has no known type must say itself what it is
    let default = kind.strategy.schema().is_none().then_some(gvk);
    read_with(body, gvk, default, validation, |object| kind.strategy.read(object))
}

fn read_with(
    body: &Body,
    expected: &GroupVersionKind,
    default: Option<&GroupVersionKind>,
    validation: FieldValidation,
    form: impl FnOnce(&mut Object) -> Result<Vec<String>, Status>,
) -> Result<Given, Status> {
    let mut decoded = match body {
        Body::Object(object) => wire::Decoded { object: (**object).clone(), faults: Vec::new() },
        Body::Bytes { media, bytes } => wire::decode(*media, bytes, default)
            .map_err(|error| error.status(&expected.version, &expected.kind, bytes))?,
    };
    decoded.faults.extend(form(&mut decoded.object)?);
    check_kind(&decoded.object, expected)?;
    let warnings = faults(decoded.faults, expected, validation)?;
    Ok(Given { object: decoded.object, warnings })
}

/// Refuses, tells or forgets faults, as the request wants it.
pub fn faults(
    faults: Vec<String>,
    expected: &GroupVersionKind,
    validation: FieldValidation,
) -> Result<Vec<String>, Status> {
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(faults),
        FieldValidation::Strict if faults.is_empty() => Ok(faults),
        FieldValidation::Strict => Err(Status::bad_request(format!(
            "{0} in version \"{1}\" cannot be handled as a {0}: strict decoding error: {2}",
            expected.kind,
            expected.version,
            faults.join(", ")
        ))),
    }
}

/// Upstream tells where in its sources the list of kinds is made.
pub(super) fn unregistered(gvk: &GroupVersionKind) -> String {
    format!(
        "no kind {:?} is registered for version {:?} in scheme \"pkg/runtime/scheme.go:111\"",
        gvk.kind,
        gvk.group_version().to_string()
    )
}

fn check_kind(object: &Object, expected: &GroupVersionKind) -> Result<(), Status> {
    let Some(given) = object.gvk() else {
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing",
            expected.kind
        )));
    };
    if given.kind != expected.kind || given.group != expected.group {
        let why = if schema::message_for(&given).is_some() {
            let group = expected.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
            format!("converting ({}.{}) to ({group}.{}): unknown conversion", given.version, given.kind, expected.kind)
        } else {
            unregistered(&given)
        };
        return Err(Status::bad_request(format!(
            "{} in version {:?} cannot be handled as a {}: {why}",
            given.kind, expected.version, expected.kind
        )));
    }
    if given.version != expected.version {
        return Err(Status::bad_request(format!(
            "the API version in the data ({}) does not match the expected API version ({})",
            given.group_version(),
            expected.group_version()
        )));
    }
    Ok(())
}
