//! Why a strategic merge fails.

use crate::{Reason, Status};

/// The texts are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StrategicError {
    #[error("strategic merge patch format is not supported")]
    Unsupported,
    #[error("invalid patch format of primitive list")]
    PrimitiveList,
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    #[error("invalid patch format of setElementOrder list")]
    ElementOrder,
    #[error("lists of lists are not supported")]
    ListOfLists,
    #[error("unknown patch type: {word} in map: {map}")]
    Directive { word: String, map: String },
    #[error("merging lists cannot yet be specified in the patch")]
    MergeDirective,
    #[error("map: {map} does not contain declared merge key: {key}")]
    NoMergeKey { map: String, key: &'static str },
    #[error("cannot merge lists without merge key")]
    NoKeyDeclared,
    #[error("the items of a list are not of one type")]
    Mixed,
    #[error("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")]
    OrderMismatch { patch: String, order: String },
}

impl From<StrategicError> for Status {
    /// 400 for what upstream calls a bad format, 422 without words for lists of lists, 500 without a reason for the rest.
    fn from(error: StrategicError) -> Self {
        match error {
            StrategicError::Unsupported
            | StrategicError::PrimitiveList
            | StrategicError::RetainKeys
            | StrategicError::ElementOrder => Self::bad_request(error.to_string()),
            StrategicError::ListOfLists => super::super::rejected(),
            _ => Self::failure(500, Reason::Unknown, error.to_string()),
        }
    }
}
