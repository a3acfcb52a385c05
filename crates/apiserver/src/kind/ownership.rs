//! Which fields a write cannot change, and so does not own: what upstream's strategies call reset fields.

use nakhoda_api::apply::{Filter, Set};

use super::Info;

/// What writes of the status cannot change where the metadata stays as it is, too: see [`Info::resets`].
pub const STATUS_ONLY: &[(&str, &[&[&str]])] = &[("status", &[&["metadata"], &["spec"]])];

// === impl Info ===

impl Info {
    /// Which fields a write cannot change, and so does not own (upstream's GetResetFields): the status, if that is
    /// written apart, and the spec where only the status is written.
    #[must_use]
    pub fn owned_by_others(&self, subresource: &str) -> Filter {
        if let Some((_, fields)) = self.resets.iter().find(|(name, _)| *name == subresource) {
            return Filter::Outside(Set::of_fields(fields));
        }
        match subresource {
            "" if self.sub("status").is_some() => Filter::Outside(Set::of_fields(&[&["status"]])),
            "status" => Filter::Outside(Set::of_fields(&[&["spec"]])),
            // also where a write reaches only part of the object: upstream's owners own what they sent there
            _ => Filter::All,
        }
    }
}
