//! [`Cluster`]: the client, what the server serves, and the namespace of the request.

use nakhoda_api::{GroupVersionKind, Object};
use nakhoda_client::{Client, DynamicApi, Selection, WriteOptions};
use serde_json::Value;

use crate::mapping::{Mapping, Resource};
use crate::{Context, Error};

/// What commands about objects work with.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Requests go through it.
    pub client: Client,
    /// What is served.
    pub mapping: Mapping,
    /// The namespace of the request.
    pub namespace: String,
    /// Whether the user named the namespace himself.
    pub explicit: bool,
}

// === impl Cluster ===

impl Cluster {
    /// Asks the server what it serves.
    pub async fn load(context: &Context) -> Result<Self, Error> {
        let client = context.client()?;
        let mapping = Mapping::load(&client).await?;
        let explicit = context.global.namespace.is_some();
        Ok(Self { client, mapping, namespace: context.namespace()?, explicit })
    }

    /// The same, writing with these options. Unknown fields are refused, as by kubectl.
    #[must_use]
    pub fn writing(self, dry_run: bool, field_manager: &str) -> Self {
        let options = WriteOptions { dry_run, field_manager: field_manager.into(), field_validation: "Strict".into() };
        Self { client: self.client.writing(options), ..self }
    }

    /// The verbs of a resource; the namespace does not count for one of the whole cluster.
    #[must_use]
    pub fn api(&self, resource: &Resource, namespace: &str) -> DynamicApi {
        self.client.dynamic(&resource.gvr, resource.namespaced.then_some(namespace))
    }

    /// One object.
    pub async fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Result<Value, Error> {
        Ok(self.api(resource, namespace).get(name).await?.into_value())
    }

    /// Objects with their kind, which a list's items lack.
    pub async fn list(&self, resource: &Resource, namespace: &str, selection: &Selection) -> Result<Vec<Value>, Error> {
        let listed = self.api(resource, namespace).list(selection).await?;
        let gvk = GroupVersionKind::new(&resource.gvr.group, &resource.gvr.version, &resource.kind);
        let named = |mut object: Object| {
            object.set_gvk(&gvk);
            object.into_value()
        };
        Ok(listed.items.into_iter().map(named).collect())
    }

    /// The resource of an object.
    pub fn resource_of(&self, object: &Value) -> Result<&Resource, Error> {
        self.mapping.of_kind(&gvk(object)?)
    }
}

/// The kind that an object says it is.
pub fn gvk(object: &Value) -> Result<GroupVersionKind, Error> {
    let (version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    if kind.is_empty() || version.is_empty() {
        let field = if kind.is_empty() { "kind" } else { "apiVersion" };
        return Err(Error::Usage(format!("an object of the input has no {field}: {}", excerpt(object))));
    }
    let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
    Ok(GroupVersionKind::new(group, version, kind))
}

/// The text at a JSON pointer, empty if there is none.
#[must_use]
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list at a JSON pointer.
pub fn items<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn excerpt(object: &Value) -> String {
    object.to_string().chars().take(60).collect()
}
