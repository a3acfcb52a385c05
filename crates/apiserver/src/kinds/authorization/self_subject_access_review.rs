//! SelfSubjectAccessReview: may I do this? Answered, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::authorization::SelfSubjectAccessReview;

use crate::kind::{Info, Kind};

/// The kind.
pub struct SelfSubjectAccessReviews;

impl Kind for SelfSubjectAccessReviews {
    type Object = SelfSubjectAccessReview;

    fn info() -> Info {
        Info {
            verbs: &["create"],
            virtual_: true,
            ..Info::of::<SelfSubjectAccessReview>("selfsubjectaccessreviews", "selfsubjectaccessreview", Scope::Cluster)
        }
    }
}
