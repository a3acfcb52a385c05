//! LocalSubjectAccessReview: may someone do this in one namespace? Answered, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::authorization::LocalSubjectAccessReview;

use crate::kind::{Info, Kind};

/// The kind.
pub struct LocalSubjectAccessReviews;

impl Kind for LocalSubjectAccessReviews {
    type Object = LocalSubjectAccessReview;

    fn info() -> Info {
        Info {
            verbs: &["create"],
            virtual_: true,
            ..Info::of::<LocalSubjectAccessReview>(
                "localsubjectaccessreviews",
                "localsubjectaccessreview",
                Scope::Namespaced,
            )
        }
    }
}
