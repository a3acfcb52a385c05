//! [`Client`]: one API server, one identity, one set of write options.

use std::collections::HashSet;
use std::sync::Arc;

use futures::stream::BoxStream;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_rpc::v1;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::api::{Api, DynamicApi, Meta};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::grpc::Grpc;
use crate::resource::Resource;
use crate::transport::{Call, Transport};

/// Frames that may wait for the peer to take them.
const FRAMES: usize = 64;

/// Different warnings that are told at most.
const WARNINGS: usize = 1000;

/// Requests to one API server. Cheap to clone; connects on first use.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    options: Arc<v1::WriteOptions>,
    warnings: Arc<Warnings>,
}

/// What is done with a warning of the server. Each text is told once.
struct Warnings {
    seen: Mutex<HashSet<String>>,
    tell: fn(&str),
}

/// A write that carries it is refused with 409 once the Lease is no longer held as said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Who must hold it.
    pub holder: String,
    /// How often it must have changed hands.
    pub transitions: i32,
}

/// How writes are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Do everything but store.
    pub dry_run: bool,
    /// In whose name fields are managed.
    pub field_manager: String,
    /// Empty, `Ignore`, `Warn` or `Strict`.
    pub field_validation: String,
}

/// A stream of frames both ways.
pub struct Duplex {
    /// Frames to the peer; dropping it ends this side.
    pub send: mpsc::Sender<v1::ConnectFrame>,
    /// Frames from the peer.
    pub recv: BoxStream<'static, Result<v1::ConnectFrame>>,
}

// === impl Client ===

impl Client {
    /// Talks gRPC to the API server of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::over(Arc::new(Grpc::new(config)))
    }

    /// Talks over any transport.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>) -> Self {
        let warnings = Warnings::new(|warning| tracing::warn!("{warning}"));
        Self { transport, options: Arc::default(), warnings: Arc::new(warnings) }
    }

    /// The same client, each of whose writes carries the fence.
    #[must_use]
    pub fn fenced(&self, fence: Fence) -> Self {
        let fence = v1::Fence {
            namespace: fence.namespace,
            name: fence.name,
            holder: fence.holder,
            transitions: fence.transitions,
        };
        self.with(v1::WriteOptions { fence: Some(fence), ..(*self.options).clone() })
    }

    /// The same client with other write options; a fence stays.
    #[must_use]
    pub fn writing(&self, options: WriteOptions) -> Self {
        self.with(v1::WriteOptions {
            dry_run: options.dry_run,
            field_manager: options.field_manager,
            field_validation: options.field_validation,
            ..(*self.options).clone()
        })
    }

    /// The same client; the server's warnings go to `warn`, each once, rather than to the log.
    #[must_use]
    pub fn warning(self, warn: fn(&str)) -> Self {
        Self { warnings: Arc::new(Warnings::new(warn)), ..self }
    }

    /// Objects of a kind in all namespaces, or of the whole cluster. A write goes to the namespace
    /// that its object names.
    #[must_use]
    pub fn all<K: Resource>(&self) -> Api<K> {
        self.namespaced("")
    }

    /// Objects of a kind in one namespace.
    #[must_use]
    pub fn namespaced<K: Resource>(&self, namespace: &str) -> Api<K> {
        Api::new(self.clone(), &K::gvr(), namespace, Meta::TYPED)
    }

    /// Objects of any resource, as JSON.
    #[must_use]
    pub fn dynamic(&self, gvr: &GroupVersionResource, namespace: Option<&str>) -> DynamicApi {
        Api::new(self.clone(), gvr, namespace.unwrap_or_default(), Meta::DYNAMIC)
    }

    /// What is served: an `APIGroupDiscoveryList` of apidiscovery.k8s.io/v2.
    pub async fn discover(&self) -> Result<Object> {
        let answer = self.call(Call::Discover(v1::DiscoverRequest {})).await?;
        serde_json::from_slice(&answer.body).map_err(Error::decode("discovery"))
    }

    /// What another API server, which is aggregated in this one, answers to a GET of a path; 404 if there is none.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.call(Call::Read(v1::ReadRequest { path: path.into() })).await?;
        serde_json::from_slice(&answer.body).map_err(Error::decode(path))
    }

    /// Opens log, exec, attach, portforward, proxy or images.
    pub async fn connect(&self, open: v1::ConnectOpen) -> Result<Duplex> {
        let (send, frames) = mpsc::channel(FRAMES);
        let first = v1::ConnectFrame { open: Some(open), ..v1::ConnectFrame::default() };
        send.try_send(first).expect("the channel is new and its receiver is held here");
        Ok(Duplex { send, recv: self.transport.connect(frames).await? })
    }

    /// One request as it travels; for callers that want other media types than JSON objects.
    pub async fn call(&self, call: Call) -> Result<v1::Object> {
        let answer = self.transport.call(call).await?;
        answer.warnings.iter().for_each(|warning| self.warnings.tell(warning));
        Ok(answer)
    }

    /// The chunks of a list as they travel.
    pub async fn list_chunks(&self, request: v1::ListRequest) -> Result<Vec<v1::ListChunk>> {
        self.transport.list(request).await
    }

    /// The batches of a watch as they travel.
    pub async fn watch_batches(&self, request: v1::WatchRequest) -> Result<BoxStream<'static, Result<v1::WatchBatch>>> {
        self.transport.watch(request).await
    }

    pub(crate) fn options(&self) -> v1::WriteOptions {
        (*self.options).clone()
    }

    fn with(&self, options: v1::WriteOptions) -> Self {
        Self { options: Arc::new(options), ..self.clone() }
    }
}

// === impl Warnings ===

impl Warnings {
    fn new(tell: fn(&str)) -> Self {
        Self { seen: Mutex::default(), tell }
    }

    fn tell(&self, text: &str) {
        let new = {
            let mut seen = self.seen.lock();
            seen.len() < WARNINGS && seen.insert(text.into())
        };
        if new {
            (self.tell)(text);
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("options", &self.options).finish_non_exhaustive()
    }
}
