//! [`Api`]: the verbs of one resource, typed or as plain JSON.

use futures::StreamExt;
use futures::stream::BoxStream;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
pub use nakhoda_api::patch::PatchKind;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_rpc::v1;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::resource::Resource;
use crate::transport::Call;

pub mod list;
pub mod watch;

pub use list::{Listed, Page, Selection};
pub use watch::{Watch, WatchEvent};

/// The verbs of one resource in one namespace, or in all.
#[derive(Debug)]
pub struct Api<T> {
    client: Client,
    target: v1::Target,
    meta: Meta<T>,
    /// The form in which objects are read; empty: whole.
    accept: &'static str,
}

/// Objects without anything but their metadata.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// How to read the two things of an object that requests need.
pub(crate) struct Meta<T> {
    key: fn(&T) -> Key,
    revision: fn(&T) -> &str,
}

/// The verbs of a resource whose kind is not known at compile time.
pub type DynamicApi = Api<Object>;

/// A change to part of an object.
#[derive(Clone, Debug)]
pub struct Patch {
    /// How to read the body.
    pub kind: PatchKind,
    /// The patch itself.
    pub body: Vec<u8>,
    /// Take over fields that others manage; for [`PatchKind::Apply`] only.
    pub force: bool,
}

// === impl Patch ===

impl Patch {
    /// A merge patch with this body.
    #[must_use]
    pub fn merge(body: &serde_json::Value) -> Self {
        Self { kind: PatchKind::Merge, body: body.to_string().into_bytes(), force: false }
    }

    /// A strategic merge patch with this body.
    #[must_use]
    pub fn strategic(body: &serde_json::Value) -> Self {
        Self { kind: PatchKind::Strategic, body: body.to_string().into_bytes(), force: false }
    }

    /// A JSON patch with these operations.
    #[must_use]
    pub fn json(body: &serde_json::Value) -> Self {
        Self { kind: PatchKind::Json, body: body.to_string().into_bytes(), force: false }
    }
}

// === impl Api ===

impl<T: Serialize + DeserializeOwned> Api<T> {
    pub(crate) fn new(client: Client, gvr: &GroupVersionResource, namespace: &str, meta: Meta<T>) -> Self {
        let target = v1::Target {
            group: gvr.group.clone(),
            version: gvr.version.clone(),
            resource: gvr.resource.clone(),
            namespace: namespace.into(),
            ..v1::Target::default()
        };
        Self { client, target, meta, accept: "" }
    }

    /// Reads one object.
    pub async fn get(&self, name: &str) -> Result<T> {
        self.get_sub(name, "").await
    }

    /// Reads a subresource, for example `scale`.
    pub async fn get_sub<R: DeserializeOwned>(&self, name: &str, sub: &str) -> Result<R> {
        let target = Some(self.at(name, sub));
        let request = v1::GetRequest { target, accept: self.accept.into(), ..v1::GetRequest::default() };
        self.answer(Call::Get(request)).await
    }

    /// Makes an object; with `generateName` the server chooses its name.
    pub async fn create(&self, object: &T) -> Result<T> {
        let target = v1::Target { namespace: self.namespace_for(object), ..self.target.clone() };
        let request = v1::CreateRequest {
            target: Some(target),
            object: Some(self.encode(object)?),
            options: Some(self.client.options()),
        };
        self.answer(Call::Create(request)).await
    }

    /// Makes a subresource: a binding, an eviction, a token.
    pub async fn create_sub<S: Serialize, R: DeserializeOwned>(&self, name: &str, sub: &str, body: &S) -> Result<R> {
        let request = v1::CreateRequest {
            target: Some(self.at(name, sub)),
            object: Some(self.encode(body)?),
            options: Some(self.client.options()),
        };
        self.answer(Call::Create(request)).await
    }

    /// Replaces an object; its `resourceVersion`, if set, must be the stored one.
    pub async fn update(&self, object: &T) -> Result<T> {
        self.replace(object, "").await
    }

    /// Replaces the status of an object.
    pub async fn update_status(&self, object: &T) -> Result<T> {
        self.replace(object, "status").await
    }

    /// Replaces a subresource by a body of another kind, for example `scale`.
    pub async fn update_sub<S: Serialize, R: DeserializeOwned>(&self, name: &str, sub: &str, body: &S) -> Result<R> {
        self.put(self.at(name, sub), self.encode(body)?).await
    }

    /// Changes part of an object.
    pub async fn patch(&self, name: &str, patch: &Patch) -> Result<T> {
        self.patch_sub(name, "", patch).await
    }

    /// Changes part of a subresource.
    pub async fn patch_sub<R: DeserializeOwned>(&self, name: &str, sub: &str, patch: &Patch) -> Result<R> {
        let body = v1::Object {
            media_type: patch.kind.mime().into(),
            body: patch.body.clone().into(),
            ..v1::Object::default()
        };
        let request = v1::PatchRequest {
            target: Some(self.at(name, sub)),
            patch: Some(body),
            force: patch.force,
            options: Some(self.client.options()),
        };
        self.answer(Call::Patch(request)).await
    }

    /// Deletes an object. The answer is the object if it lives on for a while, else a `Status`.
    pub async fn delete(&self, name: &str, options: &DeleteOptions) -> Result<Object> {
        let request = v1::DeleteRequest {
            target: Some(self.at(name, "")),
            delete_options: Some(self.encode(options)?),
            options: Some(self.client.options()),
        };
        self.answer(Call::Delete(request)).await
    }

    /// Deletes everything selected.
    pub async fn delete_collection(&self, selection: &Selection, options: &DeleteOptions) -> Result<Object> {
        let request = v1::DeleteCollectionRequest {
            target: Some(self.target.clone()),
            selection: Some(selection.into()),
            delete_options: Some(self.encode(options)?),
            options: Some(self.client.options()),
        };
        self.answer(Call::DeleteCollection(request)).await
    }

    /// Everything selected, at one revision.
    pub async fn list(&self, selection: &Selection) -> Result<Listed<T>> {
        self.list_page(&Page { selection: selection.clone(), ..Page::default() }).await
    }

    /// One page of a list.
    pub async fn list_page(&self, page: &Page) -> Result<Listed<T>> {
        let request = v1::ListRequest { accept: self.accept.into(), ..page.request(&self.target) };
        let chunks = self.client.list_chunks(request).await?;
        Listed::from_chunks(&self.target.resource, chunks)
    }

    /// Changes as the server tells them; ends whenever the server or the network does. Use
    /// [`crate::runtime::watcher::Watcher`] for one that lasts.
    pub async fn watch(&self, watch: &Watch) -> Result<BoxStream<'static, Result<WatchEvent<T>>>>
    where
        T: Send + 'static,
    {
        let what = self.target.resource.clone();
        let request = v1::WatchRequest { accept: self.accept.into(), ..watch.request(&self.target) };
        let batches = self.client.watch_batches(request).await?;
        Ok(batches.flat_map(move |batch| futures::stream::iter(watch::events(&what, batch))).boxed())
    }

    /// The resource's plural name.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.target.resource
    }

    /// The key of an object.
    #[must_use]
    pub fn key_of(&self, object: &T) -> Key {
        (self.meta.key)(object)
    }

    /// The `resourceVersion` of an object.
    #[must_use]
    pub fn revision_of<'a>(&self, object: &'a T) -> &'a str {
        (self.meta.revision)(object)
    }

    async fn replace(&self, object: &T, sub: &str) -> Result<T> {
        let mut target = self.at(&(self.meta.key)(object).name, sub);
        target.namespace = self.namespace_for(object);
        self.put(target, self.encode(object)?).await
    }

    async fn put<R: DeserializeOwned>(&self, target: v1::Target, object: v1::Object) -> Result<R> {
        let request =
            v1::UpdateRequest { target: Some(target), object: Some(object), options: Some(self.client.options()) };
        self.answer(Call::Update(request)).await
    }

    async fn answer<R: DeserializeOwned>(&self, call: Call) -> Result<R> {
        let answer = self.client.call(call).await?;
        serde_json::from_slice(&answer.body).map_err(Error::decode(&self.target.resource))
    }

    fn namespace_for(&self, object: &T) -> String {
        if self.target.namespace.is_empty() { (self.meta.key)(object).namespace } else { self.target.namespace.clone() }
    }

    fn at(&self, name: &str, sub: &str) -> v1::Target {
        v1::Target { name: name.into(), subresource: sub.into(), ..self.target.clone() }
    }

    fn encode<S: Serialize>(&self, value: &S) -> Result<v1::Object> {
        let body = serde_json::to_vec(value).map_err(Error::decode(&self.target.resource))?;
        Ok(v1::Object { media_type: "application/json".into(), body: body.into(), ..v1::Object::default() })
    }
}

impl DynamicApi {
    /// What is read, listed and watched is metadata alone.
    #[must_use]
    pub fn metadata_only(self) -> Self {
        Self { accept: METADATA, ..self }
    }
}

// === impl Meta ===

impl<K: Resource> Meta<K> {
    pub(crate) const TYPED: Self =
        Self { key: Key::of, revision: |object| object.metadata().resource_version.as_deref().unwrap_or_default() };
}

impl Meta<Object> {
    pub(crate) const DYNAMIC: Self =
        Self { key: |object| Key::new(object.namespace(), object.name()), revision: Object::resource_version };
}

impl<T> Clone for Meta<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Meta<T> {}

impl<T> std::fmt::Debug for Meta<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meta")
    }
}

impl<T> Clone for Api<T> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), target: self.target.clone(), meta: self.meta, accept: self.accept }
    }
}
