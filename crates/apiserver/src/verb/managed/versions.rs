//! The versions of a kind, as structured merge asks for them.

use std::borrow::Cow;

use nakhoda_api::Object;
use nakhoda_api::apply::{Schema, Versions};
use serde_json::Value;

use crate::kind::Served;
use crate::verb::Call;

/// All kinds that are stored where the call's kind is.
pub(super) struct Others<'a> {
    pub(super) call: &'a Call,
}

/// What structured merge must know of a kind.
pub(super) fn schema(kind: &Served) -> Schema {
    kind.strategy.typing().or_else(|| Schema::of(&kind.info.gvk)).unwrap_or_else(Schema::deduced)
}

// === impl Others ===

impl Versions for Others<'_> {
    fn convert<'v>(&self, object: &'v Value, version: &str) -> Option<(Cow<'v, Value>, Schema)> {
        let own = &self.call.kind;
        let is_it = |kind: &Served| {
            kind.info.storage == own.info.storage
                && kind.info.gvk.kind == own.info.gvk.kind
                && kind.info.gvk.api_version() == version
        };
        let kind = self.call.pipeline.kinds().all().into_iter().find(|kind| is_it(kind))?;
        let given = Object::from_value(object.clone()).ok()?;
        let from =
            self.call.pipeline.kinds().all().into_iter().find(|kind| Some(&kind.info.gvk) == given.gvk().as_ref());
        let from = from.unwrap_or_else(|| own.clone());
        let mut there = kind.strategy.from_storage(from.strategy.to_storage(given));
        there.set_gvk(&kind.info.gvk);
        Some((Cow::Owned(there.into_value()), schema(&kind)))
    }
}
