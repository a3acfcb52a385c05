//! What the caches are told of an object: labels, owners and the selectable fields of all kinds that
//! show it.

use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::Object;
use nakhoda_store::Error;
use nakhoda_store::cache::{Draft, Names, Paths, Shape};
use parking_lot::Mutex;

use crate::kind::{Fields, Served};

/// By this field most watches of pods select: each kubelet follows its own.
const HOT: &str = "spec.nodeName";

/// Reads the values of one prefix.
pub struct KindShape {
    kinds: Vec<Arc<Served>>,
    /// The metadata, and all fields too if they are plain.
    paths: Paths,
    plain: bool,
    /// Those of the object that was read last: most have the same.
    names: Mutex<Names>,
    hot: bool,
}

// === impl KindShape ===

impl KindShape {
    /// The shape of the kinds that share a prefix.
    #[must_use]
    pub fn new(kinds: Vec<Arc<Served>>) -> Self {
        let hot = kinds.iter().any(|kind| kind.strategy.field_names().contains(&HOT));
        let plain = match kinds.as_slice() {
            [kind] => kind.strategy.plain_fields(),
            _ => None,
        };
        let paths = plain.iter().flatten().map(|(name, default)| (*name, default.as_str()));
        Self { paths: Paths::new(paths), plain: plain.is_some(), names: Mutex::default(), kinds, hot }
    }

    /// The names of these fields.
    fn names(&self, fields: &Fields) -> Names {
        let mut names = self.names.lock();
        if !names.iter().map(|name| &**name).eq(fields.iter().map(|(name, _)| *name)) {
            *names = fields.iter().map(|(name, _)| Arc::from(*name)).collect();
        }
        names.clone()
    }
}

impl Shape for KindShape {
    fn draft(&self, key: &str, value: &Bytes, revision: u64) -> Result<Draft, Error> {
        let shown = match self.kinds.first() {
            Some(kind) => kind.strategy.stored(value).map_err(|status| Error::corrupt(status.message))?,
            None => value.clone(),
        };
        let mut draft = self.paths.draft(key, &shown, revision)?;
        if self.plain {
            return Ok(draft);
        }
        let mut fields = Fields::new();
        for kind in &self.kinds {
            for (name, text) in fields_of(kind, &draft.json) {
                if !fields.iter().any(|(known, _)| *known == name) {
                    fields.push((name, text));
                }
            }
        }
        draft.about = draft.about.with_fields(self.names(&fields), fields.iter().map(|(_, text)| text.as_str()));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::Kinds;

    #[test]
    fn plain_fields_are_what_the_kind_says_they_are() {
        let status = json!({"phase": "Running", "podIP": "10.0.0.1", "nominatedNodeName": "b"});
        let spec = json!({"nodeName": "a", "restartPolicy": "Never", "schedulerName": "s", "serviceAccountName": "t", "hostNetwork": true});
        let objects = [json!({}), json!({"spec": spec, "status": status}), json!({"spec": {"hostNetwork": false}})];
        for kind in Kinds::built_in().all() {
            let shape = KindShape::new(vec![kind.clone()]);
            for object in &objects {
                let mut object = object.clone();
                object["metadata"] = json!({"name": "a", "namespace": "b", "uid": "u", "labels": {"l": "v"}});
                let json = Bytes::from(object.to_string());
                let Ok(draft) = shape.draft("b/a", &json, 1) else { continue };
                let mut told = kind.strategy.fields(&json);
                told.retain(|(name, _)| draft.about.fields().any(|(known, _)| known == *name));
                let read = draft.about.fields().map(|(name, value)| (name, value.to_owned()));
                assert_eq!(read.collect::<Vec<_>>(), told, "{}", kind.info.plural);
            }
        }
    }
}
