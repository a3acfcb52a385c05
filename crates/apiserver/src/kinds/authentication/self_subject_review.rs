//! SelfSubjectReview: who am I? Answered, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::authentication::SelfSubjectReview;

use crate::kind::{Info, Kind};

/// The kind.
pub struct SelfSubjectReviews;

impl Kind for SelfSubjectReviews {
    type Object = SelfSubjectReview;

    fn info() -> Info {
        Info {
            verbs: &["create"],
            virtual_: true,
            ..Info::of::<SelfSubjectReview>("selfsubjectreviews", "selfsubjectreview", Scope::Cluster)
        }
    }
}
