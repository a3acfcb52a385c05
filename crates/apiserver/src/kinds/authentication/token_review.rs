//! TokenReview: whose token is this? Answered, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::authentication::TokenReview;

use crate::kind::{Info, Kind};

/// The kind.
pub struct TokenReviews;

impl Kind for TokenReviews {
    type Object = TokenReview;

    fn info() -> Info {
        Info {
            verbs: &["create"],
            virtual_: true,
            ..Info::of::<TokenReview>("tokenreviews", "tokenreview", Scope::Cluster)
        }
    }
}
