//! What the caches are told of an object: labels, owners and the selectable fields of all kinds that
//! show it.

use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::Object;
use nakhoda_store::Error;
use nakhoda_store::cache::{Draft, Paths, Shape};

use crate::kind::{Fields, Served};

/// By this field most watches of pods select: each kubelet follows its own.
const HOT: &str = "spec.nodeName";

/// Reads the values of one prefix.
pub struct KindShape {
    kinds: Vec<Arc<Served>>,
    meta: Paths,
    hot: bool,
}

// === impl KindShape ===

impl KindShape {
    /// The shape of the kinds that share a prefix.
    #[must_use]
    pub fn new(kinds: Vec<Arc<Served>>) -> Self {
        let hot = kinds.iter().any(|kind| kind.strategy.field_names().contains(&HOT));
        Self { kinds, meta: Paths::default(), hot }
    }
}

impl Shape for KindShape {
    fn draft(&self, key: &str, value: &Bytes, revision: u64) -> Result<Draft, Error> {
        let shown = match self.kinds.first() {
            Some(kind) => kind.strategy.stored(value).map_err(|status| Error::corrupt(status.message))?,
            None => value.clone(),
        };
        let mut draft = self.meta.draft(key, &shown, revision)?;
        let mut fields: Vec<(Arc<str>, Box<str>)> = Vec::new();
        for kind in &self.kinds {
            for (name, text) in fields_of(kind, &draft.json) {
                if !fields.iter().any(|(known, _)| &**known == name) {
                    fields.push((name.into(), text.into()));
                }
            }
        }
        draft.about.fields = fields.into();
        Ok(draft)
    }

    fn hot(&self) -> Option<&str> {
        self.hot.then_some(HOT)
    }
}

/// The fields as this kind shows the object, which may be stored in another form.
fn fields_of(kind: &Served, json: &Bytes) -> Fields {
    if !kind.strategy.converted() {
        return kind.strategy.fields(json);
    }
    match Object::from_json(json) {
        Ok(object) => kind.strategy.fields(&kind.strategy.from_storage(object).to_json()),
        Err(_) => Fields::new(),
    }
}
