//! [`Transport`] by gRPC. Watches have a connection of their own, and so has Connect, so that the h2
//! limit on streams, or a flood of bytes, never holds up a write.
//!
//! Renewed certificates mean new connections: what begins from then on uses them, and what has begun goes on to its
//! end on the old ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use nakhoda_rpc::v1::resources_client::ResourcesClient;
use nakhoda_rpc::{MAX_MESSAGE, v1};
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::config::{Bearer, Config};
use crate::error::{Error, Result};
use crate::transport::{Call, Transport};

/// How often it is asked whether certificates were renewed.
const LOOK: Duration = Duration::from_secs(1);
/// How long one answer may take: the server's own limit is 60 s.
const DEADLINE: Duration = Duration::from_secs(65);

type Resources = ResourcesClient<InterceptedService<Channel, Bearer>>;

/// Connections to one API server. Cheap to clone.
#[derive(Clone)]
pub struct Grpc {
    config: Option<Config>,
    current: Arc<Mutex<Current>>,
}

/// Three lazy connections.
#[derive(Clone)]
struct Lines {
    unary: Resources,
    watches: Resources,
    streams: Resources,
}

struct Current {
    lines: Lines,
    tls: Option<Arc<ClientConfig>>,
    looked: Instant,
}

// === impl Grpc ===

impl Grpc {
    /// Connects on first use.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let lines = Lines::of(config);
        Self { config: Some(config.clone()), ..Self::over(lines, Some(config.connector().tls())) }
    }

    fn over(lines: Lines, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { config: None, current: Arc::new(Mutex::new(Current { lines, tls, looked: Instant::now() })) }
    }

    fn lines(&self) -> Lines {
        let mut current = self.current.lock();
        if let Some(config) = self.config.as_ref().filter(|_| current.looked.elapsed() >= LOOK) {
            current.looked = Instant::now();
            let tls = config.connector().tls();
            if current.tls.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &tls)) {
                current.lines = Lines::of(config);
                current.tls = Some(tls);
            }
        }
        current.lines.clone()
    }
}

// === impl Lines ===

impl Lines {
    fn of(config: &Config) -> Self {
        Self::new(|| config.connector().channel(), &config.bearer())
    }

    fn new(channel: impl Fn() -> Channel, bearer: &Bearer) -> Self {
        let dial = || {
            ResourcesClient::with_interceptor(channel(), bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE)
                .max_encoding_message_size(MAX_MESSAGE)
        };
        Self { unary: dial(), watches: dial(), streams: dial() }
    }
}

impl Transport for Grpc {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<v1::Object>> {
        let mut client = self.lines().unary;
        async move {
            let response = match call {
                Call::Get(r) => client.get(limited(r)).await,
                Call::Create(r) => client.create(limited(r)).await,
                Call::Update(r) => client.update(limited(r)).await,
                Call::Patch(r) => client.patch(limited(r)).await,
                Call::Delete(r) => client.delete(limited(r)).await,
                Call::DeleteCollection(r) => client.delete_collection(limited(r)).await,
                Call::Discover(r) => client.discover(limited(r)).await,
                Call::Read(r) => client.read(limited(r)).await,
            };
            Ok(response?.into_inner())
        }
        .boxed()
    }

    fn list(&self, request: v1::ListRequest) -> BoxFuture<'static, Result<Vec<v1::ListChunk>>> {
        let mut client = self.lines().unary;
        async move { Ok(client.list(limited(request)).await?.into_inner().try_collect().await?) }.boxed()
    }

    fn watch(
        &self,
        request: v1::WatchRequest,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::WatchBatch>>>> {
        let mut client = self.lines().watches;
        async move { Ok(client.watch(request).await?.into_inner().map_err(Error::from).boxed()) }.boxed()
    }

    fn connect(
        &self,
        frames: mpsc::Receiver<v1::ConnectFrame>,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::ConnectFrame>>>> {
        let mut client = self.lines().streams;
        async move { Ok(client.connect(ReceiverStream::new(frames)).await?.into_inner().map_err(Error::from).boxed()) }
            .boxed()
    }
}

fn limited<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

#[cfg(test)]
mod tests;
