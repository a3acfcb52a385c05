//! Kinds: what the server must know of each that is not generic. A kind is one file
//! `kinds/<group>/<kind>.rs` with an `impl Kind` and one line in [`crate::kinds`].
//!
//! [`Kind`] is the typed side that a file implements; [`Strategy`] is the same with the type erased,
//! which the verbs call. Kinds are looked up at run time in [`crate::kinds::Kinds`], because custom
//! resources come and go.

pub mod columns;
mod info;
mod ownership;
mod zero;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use k8s_openapi::{Metadata, Resource};
use nakhoda_api::apply::Schema;
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::schema::internal;
use nakhoda_api::{Object, Scope, Status, field, wire};
use nakhoda_store::cache::Item;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::custom::scale::Paths;
use crate::user::User;
pub use columns::{Column, Columns};
pub use info::{ALL_VERBS, Info, NameRule, SCALE, STATUS, Sub};
pub use ownership::STATUS_ONLY;

/// Circumstances of a write.
#[derive(Clone, Debug)]
pub struct Cx {
    /// Who writes.
    pub user: User,
    /// The clock.
    pub now: jiff::Timestamp,
    /// The subresource that is written; empty for the object itself.
    pub subresource: String,
    /// Which of [`Kind::OPTIONAL`] were left out.
    pub absent: Vec<FieldPath>,
}

/// A chain of field names.
pub type FieldPath = &'static [&'static str];

/// A selectable field: its name and its value.
pub type Fields = Vec<(&'static str, String)>;

/// What the server must know of a kind that is not generic. Defaults, preparation and validation
/// follow upstream's `pkg/apis/<group>/v1/defaults.go`, `pkg/registry/<group>/<kind>/strategy.go` and
/// `pkg/apis/<group>/validation`.
pub trait Kind: Send + Sync + 'static {
    /// The typed model.
    type Object: Resource + Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned + Send + Sync;

    /// What discovery says.
    fn info() -> Info;

    /// Fields that may be left out, and are told apart from empty ones, though the typed model cannot: see
    /// [`Cx::lacks`].
    const OPTIONAL: &'static [FieldPath] = &[];

    /// Fills fields that were left out.
    fn default(_object: &mut Self::Object) {}

    /// Before validation: clears what clients may not set. `old` is `None` for a create. For a write of
    /// `status` the verb has already put the old spec and metadata back.
    fn prepare(_cx: &Cx, _new: &mut Self::Object, _old: Option<&Self::Object>) {}

    /// All faults at once, in upstream's order. Metadata has been checked by the verb.
    fn validate(_cx: &Cx, _new: &Self::Object, _old: Option<&Self::Object>, _errors: &mut field::Errors) {}

    /// Texts for the `Warning` header.
    fn warnings(_new: &Self::Object, _old: Option<&Self::Object>) -> Vec<String> {
        Vec::new()
    }

    /// Selectable fields beyond `metadata.name` and `metadata.namespace`.
    fn fields(_object: &Self::Object) -> Fields {
        Vec::new()
    }

    /// Whether each of these fields is the value at its path or, where there is none, what an empty object has: then
    /// it is read without decoding the object.
    const PLAIN_FIELDS: bool = false;

    /// What `kubectl get` prints. The default prints name and age.
    fn columns() -> Columns<Self::Object> {
        Columns::default()
    }

    /// Members that no column reads, wherever they stand in an object: a row is made without decoding them.
    const UNPRINTED: &'static [&'static str] = &[];

    /// Seconds of grace that a deletion gives if it names none; `None`: the object goes at once.
    fn grace(_object: &Self::Object, _asked: Option<i64>) -> Option<i64> {
        None
    }

    /// Whether a deleted object has to stay, marked as terminating, until others have cleaned up though
    /// it has no finalizer in its metadata; may note the deletion in the object. Namespaces do.
    fn linger(_object: &mut Self::Object) -> bool {
        false
    }

    /// Whether the stored form is another version or group than this one; then [`Kind::to_storage`] and
    /// [`Kind::from_storage`] translate.
    const CONVERTED: bool = false;

    /// The stored form of an object.
    #[must_use]
    fn to_storage(object: Object) -> Object {
        object
    }

    /// The object of a stored form.
    #[must_use]
    fn from_storage(object: Object) -> Object {
        object
    }
}

/// A [`Kind`] with its type erased, working on JSON objects.
pub trait Strategy: Send + Sync {
    /// Brings what a client sent into the kind's form where the field table does not know it, and tells of unknown
    /// fields.
    fn read(&self, _: &mut Object) -> Result<Vec<String>, Status> {
        Ok(Vec::new())
    }
    /// The same for what came of an apply: its nulls were meant.
    fn applied(&self, object: &mut Object) -> Result<(), Status> {
        self.read(object).map(|_| ())
    }
    /// The JSON of a stored object as it is to be shown: custom kinds fill in what their definition says now.
    fn stored(&self, json: &Bytes) -> Result<Bytes, Status> {
        Ok(json.clone())
    }
    /// Where an item keeps what it looks like as this kind, if it is stored as another.
    fn slot(&self) -> Option<u8> {
        Some(4)
    }
    /// Whether items have to be settled before they can be shown: others convert them.
    fn settles(&self) -> bool {
        false
    }
    /// Makes sure that items can be shown.
    fn settle<'a>(&'a self, _: &'a [Arc<Item>]) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async { Ok(()) })
    }
    /// The stored form of an object, where others make it.
    fn store(&self, object: Object) -> BoxFuture<'_, Result<Object, Status>> {
        Box::pin(async move { Ok(self.to_storage(object)) })
    }
    /// The object of a stored form, where others make it.
    fn show(&self, stored: Object) -> BoxFuture<'_, Result<Object, Status>> {
        Box::pin(async move { Ok(self.from_storage(stored)) })
    }
    /// The schema of a custom kind, as its definition has it.
    fn schema(&self) -> Option<&Value> {
        None
    }
    /// What structured merge must know of a custom kind.
    fn typing(&self) -> Option<Schema> {
        None
    }
    /// Where `scale` looks, if not where built-in kinds have it.
    fn scale(&self) -> Option<&Paths> {
        None
    }
    /// See [`Kind::default`]. Fails if the object does not have the kind's shape.
    fn default(&self, object: &mut Object) -> Result<(), Status>;
    /// See [`Kind::prepare`].
    fn prepare(&self, cx: &Cx, new: &mut Object, old: Option<&Object>) -> Result<(), Status>;
    /// See [`Kind::validate`].
    fn validate(&self, cx: &Cx, new: &Object, old: Option<&Object>) -> Result<field::Errors, Status>;
    /// See [`Kind::warnings`].
    fn warnings(&self, new: &Object, old: Option<&Object>) -> Result<Vec<String>, Status>;
    /// Both: there are no warnings of what is refused, nor of a status.
    fn judge(&self, cx: &Cx, new: &Object, old: Option<&Object>) -> Result<Judged, Status> {
        let errors = self.validate(cx, new, old)?;
        let warned = errors.is_empty() && cx.subresource != "status";
        let warnings = if warned { self.warnings(new, old)? } else { Vec::new() };
        Ok(Judged { errors, warnings })
    }
    /// See [`Kind::fields`]; `metadata.name` and `metadata.namespace` included.
    fn fields(&self, json: &[u8]) -> Fields;
    /// The same fields with what an empty object has there, if they are plain (see [`Kind::PLAIN_FIELDS`]).
    fn plain_fields(&self) -> Option<Fields> {
        None
    }
    /// Names of the selectable fields, for the error about one that is not.
    fn field_names(&self) -> Vec<&'static str>;
    /// The head of the table.
    fn columns(&self) -> Vec<Column>;
    /// The cells of one row.
    fn row(&self, json: &[u8], now: jiff::Timestamp) -> Vec<Value>;
    /// See [`Kind::grace`].
    fn grace(&self, object: &Object, asked: Option<i64>) -> Result<Option<i64>, Status>;
    /// See [`Kind::linger`].
    fn linger(&self, object: &mut Object) -> Result<bool, Status>;
    /// See [`Kind::CONVERTED`].
    fn converted(&self) -> bool;
    /// See [`Kind::to_storage`].
    fn to_storage(&self, object: Object) -> Object;
    /// See [`Kind::from_storage`].
    #[allow(clippy::wrong_self_convention, reason = "the strategy stands for the kind, the object is what is read")]
    fn from_storage(&self, object: Object) -> Object;
}

/// What is to be said of a write.
#[derive(Debug, Default)]
pub struct Judged {
    /// Why it is refused, if there are any.
    pub errors: field::Errors,
    /// Texts for the caller.
    pub warnings: Vec<String>,
}

/// A kind as it is served: the facts and the strategy.
pub struct Served {
    /// The facts.
    pub info: Info,
    /// The rules.
    pub strategy: Box<dyn Strategy>,
}

/// The columns are built once, not for every row.
struct Typed<K: Kind> {
    columns: Columns<K::Object>,
}

// === impl Cx ===

impl Cx {
    /// Whether an optional field of the new object was left out.
    #[must_use]
    pub fn lacks(&self, path: &[&str]) -> bool {
        self.absent.contains(&path)
    }

    /// The same circumstances, with what an object lacks.
    pub(crate) fn with<K: Kind>(&self, object: &Object) -> Self {
        Self { absent: absent::<K>(object), ..self.clone() }
    }
}

fn absent<K: Kind>(object: &Object) -> Vec<FieldPath> {
    K::OPTIONAL.iter().copied().filter(|path| object.at(path).is_none()).collect()
}

// === impl Served ===

impl Served {
    /// Erases a kind.
    #[must_use]
    pub fn new<K: Kind>() -> Arc<Self> {
        Arc::new(Self { info: K::info(), strategy: Box::new(Typed::<K> { columns: K::columns() }) })
    }
}

// === impl Typed ===

/// A shape that does not fit is the client's fault: the codec lets through what the typed model does not.
fn typed<K: Kind>(object: &Object) -> Result<K::Object, Status> {
    object
        .typed()
        .map_err(|e| Status::bad_request(format!("{} cannot be read as {}: {e}", object.name(), K::Object::KIND)))
}

fn old_typed<K: Kind>(old: Option<&Object>) -> Result<Option<K::Object>, Status> {
    old.map(typed::<K>).transpose()
}

fn store_back<K: Kind>(value: &K::Object, object: &mut Object) -> Result<(), Status> {
    let absent = absent::<K>(object);
    *object = Object::from_typed(value).map_err(|e| Status::internal(&e))?;
    for path in absent {
        if object.at(path).is_some_and(says_nothing) {
            object.remove_at(path);
        }
    }
    Ok(())
}

/// Whether a value is what the typed model makes of nothing.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(says_nothing),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What is wrong with a new object; `whole` is the same as it was sent.
fn faults<K: Kind>(cx: &Cx, whole: &Object, new: &K::Object, old: Option<&K::Object>) -> field::Errors {
    let mut errors = field::Errors::default();
    let cx = if K::OPTIONAL.is_empty() { Cow::Borrowed(cx) } else { Cow::Owned(cx.with::<K>(whole)) };
    K::validate(&cx, new, old, &mut errors);
    let gvk = K::info().gvk;
    errors.restate(|path, value| internal::shown(&gvk, path.as_str(), value));
    errors
}

impl<K: Kind> Strategy for Typed<K> {
    fn default(&self, object: &mut Object) -> Result<(), Status> {
        let mut value = typed::<K>(object).or_else(|_| {
            zero::fill(object);
            typed::<K>(object)
        })?;
        K::default(&mut value);
        store_back::<K>(&value, object)
    }

    fn prepare(&self, cx: &Cx, new: &mut Object, old: Option<&Object>) -> Result<(), Status> {
        let mut value = typed::<K>(new)?;
        K::prepare(cx, &mut value, old_typed::<K>(old)?.as_ref());
        store_back::<K>(&value, new)
    }

    fn validate(&self, cx: &Cx, new: &Object, old: Option<&Object>) -> Result<field::Errors, Status> {
        Ok(faults::<K>(cx, new, &typed::<K>(new)?, old_typed::<K>(old)?.as_ref()))
    }

    fn judge(&self, cx: &Cx, new: &Object, old: Option<&Object>) -> Result<Judged, Status> {
        let (whole, new, old) = (new, typed::<K>(new)?, old_typed::<K>(old)?);
        let errors = faults::<K>(cx, whole, &new, old.as_ref());
        let warned = errors.is_empty() && cx.subresource != "status";
        let warnings = if warned { K::warnings(&new, old.as_ref()) } else { Vec::new() };
        Ok(Judged { errors, warnings })
    }

    fn warnings(&self, new: &Object, old: Option<&Object>) -> Result<Vec<String>, Status> {
        Ok(K::warnings(&typed::<K>(new)?, old_typed::<K>(old)?.as_ref()))
    }

    fn fields(&self, json: &[u8]) -> Fields {
        let Ok(object) = serde_json::from_slice::<K::Object>(json) else { return Vec::new() };
        let meta = object.metadata();
        let mut fields = vec![("metadata.name", meta.name.clone().unwrap_or_default())];
        if let Some(namespace) = &meta.namespace {
            fields.push(("metadata.namespace", namespace.clone()));
        }
        fields.extend(K::fields(&object));
        fields
    }

    fn plain_fields(&self) -> Option<Fields> {
        let info = K::info();
        let own = typed::<K>(&Object::of(&info.gvk)).map(|object| K::fields(&object)).unwrap_or_default();
        let namespaced = info.scope == Scope::Namespaced;
        let meta = ["metadata.name", "metadata.namespace"].into_iter().take(1 + usize::from(namespaced));
        let plain = (own.is_empty() || K::PLAIN_FIELDS) && !K::CONVERTED;
        plain.then(|| meta.map(|name| (name, String::new())).chain(own).collect())
    }

    fn field_names(&self) -> Vec<&'static str> {
        let empty = Object::of(&K::info().gvk);
        let more = typed::<K>(&empty).map(|o| K::fields(&o)).unwrap_or_default();
        ["metadata.name", "metadata.namespace"].into_iter().chain(more.into_iter().map(|(n, _)| n)).collect()
    }

    fn columns(&self) -> Vec<Column> {
        self.columns.head()
    }

    fn row(&self, json: &[u8], now: jiff::Timestamp) -> Vec<Value> {
        let printed = (!K::UNPRINTED.is_empty()).then(|| wire::without(json, K::UNPRINTED).ok()).flatten();
        match serde_json::from_slice::<K::Object>(printed.as_ref().map_or(json, String::as_bytes)) {
            Ok(object) => self.columns.cells(&object, now),
            Err(_) => Vec::new(),
        }
    }

    fn grace(&self, object: &Object, asked: Option<i64>) -> Result<Option<i64>, Status> {
        Ok(K::grace(&typed::<K>(object)?, asked))
    }

    fn linger(&self, object: &mut Object) -> Result<bool, Status> {
        let mut value = typed::<K>(object)?;
        let stays = K::linger(&mut value);
        store_back::<K>(&value, object)?;
        Ok(stays)
    }

    fn converted(&self) -> bool {
        K::CONVERTED
    }

    fn to_storage(&self, object: Object) -> Object {
        K::to_storage(object)
    }

    fn from_storage(&self, object: Object) -> Object {
        K::from_storage(object)
    }
}
