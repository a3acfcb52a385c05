//! [`Custom`]: what the verbs are told of a custom kind in one version.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::Timestamp;
use nakhoda_api::apply;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::structural::expressions::Expressions;
use nakhoda_api::structural::{Schema, default, embedded, go, prune};
use nakhoda_api::{GroupVersionKind, Object, Reason, Status};
use nakhoda_store::cache::Item;
use serde_json::Value;

use super::columns::{PrintedColumn, SelectableField};
use super::conversion::Conversion;
use super::names::intern;
use super::scale::Paths;
use super::validation;
use crate::kind::{Column, Cx, Fields, Strategy};

/// A custom kind in one version.
pub struct Custom {
    /// What it is.
    pub gvk: GroupVersionKind,
    /// What the objects must look like.
    pub schema: Arc<Schema>,
    /// The rules of the schema.
    pub rules: Option<Expressions>,
    /// The schema as its definition has it, for OpenAPI.
    pub published: Option<Value>,
    /// Whether unknown fields are kept everywhere.
    pub preserves: bool,
    /// How lists and maps are owned: made of what is published when it is asked for.
    pub typing: OnceLock<apply::Schema>,
    /// What is printed.
    pub columns: Vec<PrintedColumn>,
    /// What can be selected by.
    pub selectable: Vec<SelectableField>,
    /// Whether the status is written apart.
    pub has_status: bool,
    /// Where the numbers of `scale` are.
    pub scale: Option<Paths>,
    /// How others convert it, if they do.
    pub conversion: Option<Conversion>,
    /// Where items keep what they look like in this version.
    pub slot: Option<u8>,
    /// The version in which objects are stored.
    pub stored: GroupVersionKind,
    /// The schemas of all versions by their names: an object may have been stored in any of them.
    pub schemas: Arc<BTreeMap<String, Arc<Schema>>>,
}

/// What of the metadata a write of the status leaves as it is.
const DESCRIPTIVE: [&str; 4] = ["labels", "annotations", "finalizers", "ownerReferences"];

// === impl Custom ===

impl Custom {
    /// Brings an object into form by a schema: what it does not name goes, and so do nulls that may not stand; what was
    /// left out is filled in.
    fn form(schema: &Schema, object: &mut Object) -> Result<Vec<String>, String> {
        Self::form_with(schema, object, default::fill)
    }

    fn form_with(schema: &Schema, object: &mut Object, fill: fn(&mut Value, &Schema)) -> Result<Vec<String>, String> {
        let mut value = Value::Object(std::mem::take(object.root_mut()));
        let coerced = embedded::coerce(&mut value, schema);
        let mut told = Vec::new();
        if let Ok(unknown) = &coerced {
            told.extend(unknown.iter().cloned());
            told.extend(prune::prune(&mut value, schema).iter().map(|path| format!("unknown field {path:?}")));
            fill(&mut value, schema);
            go::canonical(&mut value);
        }
        if let Value::Object(root) = value {
            *object.root_mut() = root;
        }
        coerced.map(|_| told).map_err(|error| error.to_string())
    }

    fn refused(&self, why: &str) -> Status {
        let GroupVersionKind { version, kind, .. } = &self.gvk;
        Status::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {why}"))
    }
}

impl Strategy for Custom {
    fn read(&self, object: &mut Object) -> Result<Vec<String>, Status> {
        let given = object.gvk().filter(|given| given.group == self.gvk.group && given.version == self.gvk.version);
        if let Some(given) = given.filter(|given| given.kind != self.gvk.kind) {
            let mut errors = Errors::default();
            errors.invalid(&Path::new("kind"), given.kind.as_str(), format!("must be {}", self.gvk.kind));
            return Err(Status::invalid(&given.group_kind(), object.name(), &errors));
        }
        Self::form(&self.schema, object).map_err(|why| self.refused(&why))
    }

    fn applied(&self, object: &mut Object) -> Result<(), Status> {
        Self::form_with(&self.schema, object, default::defaults).map(|_| ()).map_err(|why| self.refused(&why))
    }

    fn stored(&self, json: &Bytes) -> Result<Bytes, Status> {
        let mut object = Object::from_json(json).map_err(|error| Status::internal(&error))?;
        let version = object.gvk().map(|gvk| gvk.version).unwrap_or_default();
        // what was stored under another schema is shown as far as this one takes it
        if let Some(Err(why)) = self.schemas.get(&version).map(|schema| Self::form(schema, &mut object)) {
            tracing::debug!(name = object.name(), why, "an object is shown as it was stored");
        }
        if version != self.stored.version && self.conversion.is_none() {
            object.set_gvk(&self.stored);
            go::canonical_root(object.root_mut());
        }
        Ok(object.to_json().into())
    }

    fn slot(&self) -> Option<u8> {
        self.slot
    }

    fn settles(&self) -> bool {
        self.conversion.is_some()
    }

    fn settle<'a>(&'a self, items: &'a [Arc<Item>]) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(conversion) = &self.conversion else { return Ok(()) };
            let slot = self.slot.ok_or_else(|| {
                let why = "webhooks convert between three versions at most";
                Status::failure(500, Reason::InternalError, why)
            })?;
            conversion.settle(items, slot).await
        })
    }

    fn store(&self, object: Object) -> BoxFuture<'_, Result<Object, Status>> {
        Box::pin(async move {
            let Some(conversion) = &self.conversion else { return Ok(self.to_storage(object)) };
            let mut made = conversion.convert(vec![object], &self.stored).await?;
            let mut object = made.pop().unwrap_or_default();
            go::canonical_root(object.root_mut());
            Ok(object)
        })
    }

    fn show(&self, stored: Object) -> BoxFuture<'_, Result<Object, Status>> {
        Box::pin(async move {
            let Some(conversion) = &self.conversion else { return Ok(self.from_storage(stored)) };
            let mut made = conversion.convert(vec![stored], &self.gvk).await?;
            let mut object = made.pop().unwrap_or_default();
            go::canonical_root(object.root_mut());
            Ok(object)
        })
    }

    fn schema(&self) -> Option<&Value> {
        self.published.as_ref()
    }

    fn typing(&self) -> Option<apply::Schema> {
        let make = || match &self.published {
            Some(schema) => apply::Schema::structural(schema, self.preserves),
            None => apply::Schema::deduced(),
        };
        Some(self.typing.get_or_init(make).clone())
    }

    fn scale(&self) -> Option<&Paths> {
        self.scale.as_ref()
    }

    fn default(&self, object: &mut Object) -> Result<(), Status> {
        self.applied(object)
    }

    fn prepare(&self, cx: &Cx, new: &mut Object, old: Option<&Object>) -> Result<(), Status> {
        match (old, cx.subresource.as_str()) {
            (None, _) if self.has_status => drop(new.root_mut().shift_remove("status")),
            (Some(old), "status") => {
                for field in DESCRIPTIVE {
                    match old.at(&["metadata", field]) {
                        Some(value) => new.set_meta(field, value.clone()),
                        None => drop(new.remove_meta(field)),
                    }
                }
            }
            _ => {}
        }
        go::canonical_root(new.root_mut());
        Ok(())
    }

    fn validate(&self, cx: &Cx, new: &Object, old: Option<&Object>) -> Result<Errors, Status> {
        Ok(validation::check(self, cx.subresource == "status", new, old))
    }

    fn warnings(&self, new: &Object, old: Option<&Object>) -> Result<Vec<String>, Status> {
        Ok(validation::warnings(new, old))
    }

    fn fields(&self, json: &[u8]) -> Fields {
        let Ok(object) = serde_json::from_slice::<Value>(json) else { return Fields::new() };
        let meta = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let mut fields = vec![("metadata.name", meta("name"))];
        if object["metadata"].get("namespace").is_some() {
            fields.push(("metadata.namespace", meta("namespace")));
        }
        fields.extend(self.selectable.iter().map(|field| (field.name, field.value(&object))));
        fields
    }

    fn field_names(&self) -> Vec<&'static str> {
        let own = self.selectable.iter().map(|field| intern(field.name));
        ["metadata.name", "metadata.namespace"].into_iter().chain(own).collect()
    }

    fn columns(&self) -> Vec<Column> {
        self.columns.iter().map(|column| column.head).collect()
    }

    fn row(&self, json: &[u8], now: Timestamp) -> Vec<Value> {
        let Ok(object) = serde_json::from_slice::<Value>(json) else { return Vec::new() };
        self.columns.iter().map(|column| column.cell(&object, now)).collect()
    }

    fn grace(&self, _: &Object, _: Option<i64>) -> Result<Option<i64>, Status> {
        Ok(None)
    }

    fn linger(&self, _: &mut Object) -> Result<bool, Status> {
        Ok(false)
    }

    fn converted(&self) -> bool {
        self.conversion.is_some() || self.gvk.version != self.stored.version
    }

    /// In the one form in which it is read again: what changes nothing must not differ.
    fn to_storage(&self, mut object: Object) -> Object {
        object.set_gvk(&self.stored);
        go::canonical_root(object.root_mut());
        object
    }

    /// The other version's schema may know less.
    fn from_storage(&self, mut object: Object) -> Object {
        object.set_gvk(&self.gvk);
        let mut value = object.into_value();
        prune::prune(&mut value, &self.schema);
        go::canonical(&mut value);
        Object::from_value(value).unwrap_or_default()
    }
}
