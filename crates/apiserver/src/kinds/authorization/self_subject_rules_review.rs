//! SelfSubjectRulesReview: what may I do in a namespace? Answered, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::authorization::SelfSubjectRulesReview;

use crate::kind::{Info, Kind};

/// The kind.
pub struct SelfSubjectRulesReviews;

impl Kind for SelfSubjectRulesReviews {
    type Object = SelfSubjectRulesReview;

    fn info() -> Info {
        Info {
            verbs: &["create"],
            virtual_: true,
            ..Info::of::<SelfSubjectRulesReview>("selfsubjectrulesreviews", "selfsubjectrulesreview", Scope::Cluster)
        }
    }
}
