//! SubjectAccessReview: may someone do this? Answered, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::authorization::SubjectAccessReview;

use crate::kind::{Info, Kind};

/// The kind.
pub struct SubjectAccessReviews;

impl Kind for SubjectAccessReviews {
    type Object = SubjectAccessReview;

    fn info() -> Info {
        Info {
            verbs: &["create"],
            virtual_: true,
            ..Info::of::<SubjectAccessReview>("subjectaccessreviews", "subjectaccessreview", Scope::Cluster)
        }
    }
}
