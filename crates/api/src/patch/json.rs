//! RFC 6902, as upstream's library applies it: a replacement makes a missing key, and negative indexes
//! count from the end.
//!
//! A patch may not make an object that is deeper than what is read, nor grow it without bound by copies.

use json_patch::jsonptr::{Pointer, PointerBuf};
use json_patch::{AddOperation, PatchErrorKind, PatchOperation};
use serde_json::Value;

use super::{object, rejected};
use crate::wire::MAX_DEPTH;
use crate::{Object, Reason, Status};

const MAX_OPERATIONS: usize = 10_000;
const MAX_COPIED_BYTES: usize = 3 << 20;

/// What became of an object on which operations were made.
#[derive(Clone, Debug)]
pub enum Operated {
    /// It is another now, or the same.
    Changed(Box<Object>),
    /// It stays as it was: a test was not passed.
    Untested,
}

/// An operation that cannot be made.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("testing value {0} failed")]
    Test(String),
    #[error(transparent)]
    Refused(#[from] Box<Status>),
}

/// The object after operations of a JSON patch.
pub fn operate(current: &Object, operations: &[Value]) -> Result<Operated, Status> {
    match made(current, operations) {
        Ok(object) => Ok(Operated::Changed(Box::new(object))),
        Err(Fault::Test(_)) => Ok(Operated::Untested),
        Err(Fault::Refused(status)) => Err(*status),
    }
}

pub(super) fn apply(current: &Object, operations: &[Value]) -> Result<Object, Status> {
    made(current, operations).map_err(|fault| match fault {
        Fault::Test(_) => rejected(),
        Fault::Refused(status) => *status,
    })
}

fn made(current: &Object, operations: &[Value]) -> Result<Object, Fault> {
    let rejected = || Fault::from(Box::new(rejected()));
    if operations.len() > MAX_OPERATIONS {
        let text = format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        );
        return Err(Box::new(Status::failure(413, Reason::RequestEntityTooLarge, text)).into());
    }
    let mut root = current.clone().into_value();
    let mut copied = 0;
    for operation in operations {
        let operation = fit(serde_json::from_value(operation.clone()).map_err(|_| rejected())?, &root);
        copied += bounded(&operation, &root).ok_or_else(rejected)?;
        if copied > MAX_COPIED_BYTES {
            return Err(rejected());
        }
        json_patch::patch_unsafe(&mut root, &[operation]).map_err(|error| match error.kind {
            PatchErrorKind::TestFailed => Fault::Test(error.path.to_string()),
            _ => rejected(),
        })?;
    }
    object(root).map_err(|status| Box::new(status).into())
}

/// The operation in the terms of the RFC.
fn fit(operation: PatchOperation, root: &Value) -> PatchOperation {
    match operation {
        PatchOperation::Replace(mut replace) => {
            replace.path = counted(replace.path, root);
            let is_new_key = replace.path.resolve(root).is_err()
                && replace.path.parent().is_some_and(|p| p.resolve(root).is_ok_and(Value::is_object));
            if is_new_key {
                return PatchOperation::Add(AddOperation { path: replace.path, value: replace.value });
            }
            PatchOperation::Replace(replace)
        }
        PatchOperation::Remove(mut remove) => {
            remove.path = counted(remove.path, root);
            PatchOperation::Remove(remove)
        }
        PatchOperation::Test(mut test) => {
            test.path = counted(test.path, root);
            PatchOperation::Test(test)
        }
        other => other,
    }
}

/// A last segment like `-1` counted from the start.
fn counted(path: PointerBuf, root: &Value) -> PointerBuf {
    let Some((parent, last)) = path.split_back() else { return path };
    let back = last.decoded().strip_prefix('-').and_then(|n| n.parse::<usize>().ok());
    let length = parent.resolve(root).ok().and_then(Value::as_array).map(Vec::len);
    match (back, length) {
        (Some(back), Some(length)) if back > 0 && back <= length => parent.with_trailing_token(length - back),
        _ => path,
    }
}

/// The bytes that an operation copies; `None` if the object would get too deep.
fn bounded(operation: &PatchOperation, root: &Value) -> Option<usize> {
    let (path, value): (&Pointer, Option<&Value>) = match operation {
        PatchOperation::Add(add) => (&add.path, Some(&add.value)),
        PatchOperation::Replace(replace) => (&replace.path, Some(&replace.value)),
        PatchOperation::Move(moved) => (&moved.path, moved.from.resolve(root).ok()),
        PatchOperation::Copy(copy) => (&copy.path, copy.from.resolve(root).ok()),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Some(0),
    };
    let depth = path.count() + value.map_or(0, depth);
    let bytes = match (operation, value) {
        (PatchOperation::Copy(_), Some(value)) => value.to_string().len(),
        _ => 0,
    };
    (depth <= MAX_DEPTH as usize).then_some(bytes)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
