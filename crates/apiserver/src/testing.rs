//! A whole server in the process, on the memory store: what the suites of the verbs, of gRPC and of REST
//! are run against.

use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::patch::PatchKind;
use nakhoda_api::wire::Media;
use nakhoda_api::{Object, Status};
use nakhoda_daemon::Tasks;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_store::cache::{Caches, Settings};
use nakhoda_store::{Memory, Store, Transformed};
use serde_json::{Value, json};

use crate::admission::Chain;
use crate::alloc::Allocators;
use crate::audit::Auditor;
use crate::authz::{Attributes, Authorizer, Decision};
use crate::encryption::Encryption;
use crate::kinds::Kinds;
use crate::pipeline::{Parts, Pipeline};
use crate::request::{
    Action, Body, Caller, Deletion, FieldValidation, ListOptions, PatchWrite, Request, ResourceTarget, Target, Write,
    WriteOptions,
};
use crate::response::{Answer, Response};
use crate::storage::{Storage, Stored};
use crate::user::User;
use crate::{authn, authz};

pub(crate) mod webhook;

/// A server. Its tasks end with it.
pub(crate) struct Server {
    pub(crate) pipeline: Pipeline,
    pub(crate) store: Arc<Memory>,
    pub(crate) tasks: Tasks,
    pub(crate) user: User,
    pub(crate) metrics: Metrics,
}

/// Everybody may do everything; what is authorized is tested elsewhere.
struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _: &Attributes) -> Decision {
        Decision::Allow(String::new())
    }
}

/// `pods`, or `pods/status`, of a namespace, and a name.
pub(crate) fn target(kinds: &Kinds, resource: &str, namespace: &str, name: &str) -> ResourceTarget {
    let (plural, sub) = resource.split_once('/').unwrap_or((resource, ""));
    let kind = kinds.all().into_iter().find(|kind| kind.info.plural == plural).expect("a kind of this plural");
    ResourceTarget {
        gvr: kind.info.gvr(),
        namespace: namespace.into(),
        name: name.into(),
        subresource: sub.into(),
        path: String::new(),
    }
}

/// A body as a client sends it.
pub(crate) fn json_body(value: &Value) -> Body {
    Body::Bytes { media: Media::Json, bytes: value.to_string().into() }
}

// === impl Server ===

impl Server {
    /// An empty server.
    pub(crate) async fn empty() -> Self {
        Self::over(Arc::new(Memory::default()), Encryption::default()).await
    }

    /// A server over a store that may hold something already.
    pub(crate) async fn over(store: Arc<Memory>, encryption: Encryption) -> Self {
        Self::with(store, encryption, http::Extensions::new()).await
    }

    /// A server that tells of requests.
    pub(crate) async fn audited(auditor: Auditor) -> Self {
        Self::knowing(auditor).await
    }

    /// A server with a part that not every one has.
    pub(crate) async fn knowing<T: Clone + Send + Sync + 'static>(part: T) -> Self {
        let mut extensions = http::Extensions::new();
        extensions.insert(part);
        let server = Self::with(Arc::new(Memory::default()), Encryption::default(), extensions).await;
        server.create("namespaces", "", &json!({"metadata": {"name": "default"}})).await.expect("a namespace");
        server
    }

    async fn with(store: Arc<Memory>, encryption: Encryption, extensions: http::Extensions) -> Self {
        let (tasks, metrics) = (Tasks::new(), Metrics::default());
        let kinds = Kinds::built_in();
        let read: Arc<dyn Store> = Arc::new(Transformed::new(store.clone(), Arc::new(Stored::new(encryption))));
        let caches = Caches::start(read.clone(), tasks.clone(), Settings::default());
        let storage = Storage::new(read, caches, kinds.clone());
        storage.caches().ready().await;
        let pipeline = Pipeline::new(Parts {
            kinds,
            storage,
            authn: authn::Union::default(),
            authz: authz::Union::new(vec![Arc::new(AllowAll)]),
            admission: Chain::standard(),
            allocators: Allocators {
                addresses: "10.96.0.0/24".parse().expect("a range"),
                ports: "30000-30009".parse().expect("a range"),
            },
            seats: 600,
            metrics: metrics.clone(),
            extensions,
        });
        Self { pipeline, store, tasks, user: User::system(), metrics }
    }

    /// The same with custom resources: definitions are followed.
    pub(crate) async fn custom() -> Self {
        let server = Self::start().await;
        crate::custom::follow::start(&server.pipeline, &server.tasks).await;
        server
    }

    /// A server with the namespace `default` and its account.
    pub(crate) async fn start() -> Self {
        let server = Self::empty().await;
        server.create("namespaces", "", &json!({"metadata": {"name": "default"}})).await.expect("a namespace");
        server
            .create("serviceaccounts", "default", &json!({"metadata": {"name": "default"}}))
            .await
            .expect("an account");
        server
    }

    /// One request by the server's user.
    pub(crate) async fn call(&self, target: ResourceTarget, action: Action) -> Result<Response, Status> {
        let caller = Caller { user: Some(self.user.clone()), ..Caller::default() };
        self.pipeline
            .call(Request { target: Target::Resource(target), action, caller, accept: Default::default() })
            .await
    }

    /// One request, and the object of its answer.
    pub(crate) async fn ask(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        action: Action,
    ) -> Result<Value, Status> {
        let target = target(self.pipeline.kinds(), resource, namespace, name);
        self.call(target, action).await.map(|response| value(&response))
    }

    pub(crate) async fn create(&self, resource: &str, namespace: &str, object: &Value) -> Result<Value, Status> {
        self.create_with(resource, namespace, object, WriteOptions::default()).await
    }

    pub(crate) async fn create_with(
        &self,
        resource: &str,
        namespace: &str,
        object: &Value,
        options: WriteOptions,
    ) -> Result<Value, Status> {
        self.ask(resource, namespace, "", Action::Create(Write { body: json_body(object), options })).await
    }

    pub(crate) async fn post(&self, sub: &str, namespace: &str, name: &str, object: &Value) -> Result<Value, Status> {
        let write = Write { body: json_body(object), options: WriteOptions::default() };
        self.ask(sub, namespace, name, Action::Create(write)).await
    }

    pub(crate) async fn get(&self, resource: &str, namespace: &str, name: &str) -> Result<Value, Status> {
        self.ask(resource, namespace, name, Action::Get { resource_version: String::new() }).await
    }

    pub(crate) async fn update(&self, resource: &str, object: &Value) -> Result<Value, Status> {
        let meta = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let write = Write { body: json_body(object), options: WriteOptions::default() };
        self.ask(resource, &meta("namespace"), &meta("name"), Action::Update(write)).await
    }

    pub(crate) async fn patch(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, Status> {
        self.patch_with(resource, namespace, name, PatchKind::Merge, patch).await
    }

    pub(crate) async fn patch_with(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        kind: PatchKind,
        patch: &Value,
    ) -> Result<Value, Status> {
        let write =
            PatchWrite { kind, bytes: Bytes::from(patch.to_string()), force: false, options: WriteOptions::default() };
        self.ask(resource, namespace, name, Action::Patch(write)).await
    }

    pub(crate) async fn delete(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        options: &Value,
    ) -> Result<Value, Status> {
        let deletion = Deletion { body: Some(json_body(options)), options: WriteOptions::default() };
        self.ask(resource, namespace, name, Action::Delete(deletion)).await
    }

    pub(crate) async fn list(&self, resource: &str, namespace: &str, options: ListOptions) -> Result<Response, Status> {
        self.call(target(self.pipeline.kinds(), resource, namespace, ""), Action::List(options)).await
    }

    /// The names that a list answers.
    pub(crate) async fn names(
        &self,
        resource: &str,
        namespace: &str,
        options: ListOptions,
    ) -> Result<Vec<String>, Status> {
        match self.list(resource, namespace, options).await?.answer {
            Answer::List { items, .. } => Ok(items.iter().map(|item| item.name().to_owned()).collect()),
            _ => panic!("a list answers with a list"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// The object of an answer, or its Status.
pub(crate) fn value(response: &Response) -> Value {
    match &response.answer {
        Answer::Item { item, kind } | Answer::Created { item, kind } => {
            let stored = Object::from_json(item.json()).expect("JSON");
            kind.strategy.from_storage(stored).into_value()
        }
        Answer::Object { object, .. } => (**object).clone().into_value(),
        Answer::Status(status) => serde_json::to_value(status).expect("a Status serialises"),
        _ => Value::Null,
    }
}

/// Options that refuse unknown fields.
pub(crate) fn strict() -> WriteOptions {
    WriteOptions { validation: FieldValidation::Strict, ..WriteOptions::default() }
}
