//! [`Memory`]: an API server's storage behaviour without a server, for tests of everything that
//! stands on [`Transport`].
//!
//! Holds: revisions, conflicts, watches with history, initial events and bookmarks, finalizers,
//! status, binding and eviction, fences, preconditions of deletions. Absent: validation, defaults, authorization, server-side
//! apply, dry run, Connect, and discovery beyond a document that is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use nakhoda_api::{GroupResource, Status};
use nakhoda_rpc::v1;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::key::Key;
use crate::transport::{Call, Transport};

mod select;
mod verbs;
mod watching;

use select::Selector;

/// Objects in memory. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Wakes the watches, always in the order in which they began to wait.
    changed: Notify,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<Place, Value>,
    history: Vec<Change>,
    revision: u64,
    /// How often all watches were ended.
    epoch: u64,
    /// Watches from before this revision are refused with 410.
    compacted: u64,
    refuse_initial: bool,
    refuse_all: bool,
    refuse_binding: bool,
    /// Pods on nodes end only when their kubelets say so.
    graceful: bool,
    discovery: Option<Value>,
    calls: Vec<&'static str>,
    witness: Option<Witness>,
}

/// Where an object is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    group: String,
    resource: String,
    key: Key,
}

/// One change of what is stored.
#[derive(Clone)]
pub struct Change {
    revision: u64,
    place: Place,
    kind: v1::watch_event::Type,
    object: Value,
    before: Option<Value>,
}

/// Is told each change as it is made.
type Witness = Box<dyn FnMut(&Change) + Send>;

// === impl Memory ===

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// Nothing stored.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::default(), changed: Notify::new() }) }
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::over(Arc::new(self.clone()))
    }

    /// Ends every watch, as a restarted server does.
    pub fn break_watches(&self) {
        self.shared.state.lock().epoch += 1;
        self.shared.changed.notify_waiters();
    }

    /// Forgets all history, so that older watches get 410.
    pub fn compact(&self) {
        let mut state = self.shared.state.lock();
        state.compacted = state.revision;
        state.history.clear();
    }

    /// Whether watches with `send_initial_events` are refused, as by an older server.
    pub fn refuse_initial_events(&self, refuse: bool) {
        self.shared.state.lock().refuse_initial = refuse;
    }

    /// Whether everything is refused with 503, as by a server that is down.
    pub fn refuse_all(&self, refuse: bool) {
        self.shared.state.lock().refuse_all = refuse;
    }

    /// Whether bindings are refused with 503.
    pub fn refuse_binding(&self, refuse: bool) {
        self.shared.state.lock().refuse_binding = refuse;
    }

    /// Answers discovery with this document.
    pub fn serve(&self, document: Value) {
        self.shared.state.lock().discovery = Some(document);
    }

    /// Whether deleting a pod that runs on a node only asks its kubelet to end it, as a server does.
    pub fn delete_gracefully(&self, graceful: bool) {
        self.shared.state.lock().graceful = graceful;
    }

    /// Tells each change from now on as it is made, under the lock: the witness must not ask this memory.
    pub fn witness(&self, witness: impl FnMut(&Change) + Send + 'static) {
        self.shared.state.lock().witness = Some(Box::new(witness));
    }

    /// The verbs asked for so far; a binding is `bind`.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        self.shared.state.lock().calls.clone()
    }

    fn enter(&self, verb: &'static str) -> Result<parking_lot::MutexGuard<'_, State>> {
        let mut state = self.shared.state.lock();
        state.calls.push(verb);
        if state.refuse_all {
            return Err(Status::unavailable("memory refuses everything", 0).into());
        }
        Ok(state)
    }

    fn answer(&self, call: Call) -> Result<v1::Object> {
        let verb = verbs::name(&call);
        let (value, changed) = {
            let mut state = self.enter(verb)?;
            let before = state.revision;
            let value = verbs::run(&mut state, call)?;
            (value, state.revision != before)
        };
        if changed {
            self.shared.changed.notify_waiters();
        }
        Ok(v1::Object { body: value.to_string().into_bytes().into(), ..v1::Object::default() })
    }

    fn chunks(&self, request: v1::ListRequest) -> Result<Vec<v1::ListChunk>> {
        let state = self.enter("list")?;
        let target = request.target.unwrap_or_default();
        let selector = Selector::parse(request.selection.as_ref())?;
        let items = state.select(&target, &selector).map(|(_, o)| o.to_string().into_bytes().into()).collect();
        let resource_version = state.revision.to_string();
        Ok(vec![v1::ListChunk { items, resource_version, ..v1::ListChunk::default() }])
    }
}

impl Transport for Memory {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<v1::Object>> {
        let memory = self.clone();
        async move { memory.answer(call) }.boxed()
    }

    fn list(&self, request: v1::ListRequest) -> BoxFuture<'static, Result<Vec<v1::ListChunk>>> {
        let memory = self.clone();
        async move { memory.chunks(request) }.boxed()
    }

    fn watch(
        &self,
        request: v1::WatchRequest,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::WatchBatch>>>> {
        let memory = self.clone();
        async move { memory.open(&request) }.boxed()
    }

    fn connect(
        &self,
        _: mpsc::Receiver<v1::ConnectFrame>,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::ConnectFrame>>>> {
        let refusal: Error = Status::method_not_supported(&GroupResource::new("", "memory"), "connect").into();
        async move { Err(refusal) }.boxed()
    }
}

// === impl State ===

impl State {
    fn select<'a>(
        &'a self,
        target: &'a v1::Target,
        selector: &'a Selector,
    ) -> impl Iterator<Item = (&'a Place, &'a Value)> {
        self.objects.iter().filter(move |(place, object)| place.is_of(target) && selector.matches(object))
    }

    fn record(&mut self, place: Place, kind: v1::watch_event::Type, mut object: Value, before: Option<Value>) -> Value {
        self.revision += 1;
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        if kind == v1::watch_event::Type::Deleted {
            self.objects.remove(&place);
        } else {
            self.objects.insert(place.clone(), object.clone());
        }
        let change = Change { revision: self.revision, place, kind, object: object.clone(), before };
        if let Some(witness) = &mut self.witness {
            witness(&change);
        }
        self.history.push(change);
        object
    }
}

// === impl Change ===

impl Change {
    /// The resource of the object, for example `pods`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.place.resource
    }

    /// The object as it is now; as it was last, if it is gone.
    #[must_use]
    pub const fn object(&self) -> &Value {
        &self.object
    }

    /// Whether the object is gone.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.kind == v1::watch_event::Type::Deleted
    }
}

// === impl Place ===

impl Place {
    fn of(target: &v1::Target, name: &str) -> Self {
        Self {
            group: target.group.clone(),
            resource: target.resource.clone(),
            key: Key::new(target.namespace.clone(), name),
        }
    }

    fn is_of(&self, target: &v1::Target) -> bool {
        self.group == target.group
            && self.resource == target.resource
            && (target.namespace.is_empty() || self.key.namespace == target.namespace)
    }
}
