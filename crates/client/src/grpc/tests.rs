use std::sync::Arc;

use hyper_util::rt::TokioIo;
use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_rpc::v1::resources_server::{self, ResourcesServer};
use parking_lot::Mutex;
use tonic::transport::{Endpoint, Server};
use tonic::{Response, Status, Streaming};

use super::*;
use crate::api::{Selection, Watch, WatchEvent};
use crate::client::Client;
use crate::memory::Memory;
use crate::resource::Resource;

type Tokens = Arc<Mutex<Vec<String>>>;

/// The memory double behind a real gRPC server.
struct Served {
    memory: Memory,
    tokens: Tokens,
}

impl Served {
    async fn unary(&self, call: Call, metadata: &tonic::metadata::MetadataMap) -> Result<Response<v1::Object>, Status> {
        let token = metadata.get("authorization").and_then(|t| t.to_str().ok()).unwrap_or_default();
        self.tokens.lock().push(token.into());
        self.memory.call(call).await.map(Response::new).map_err(refusal)
    }
}

fn refusal(error: Error) -> Status {
    error.status().map_or_else(|| Status::internal(error.to_string()), nakhoda_rpc::status::to_tonic)
}

macro_rules! unary {
    ($($name:ident: $request:ident => $call:ident),* $(,)?) => {
        #[tonic::async_trait]
        impl resources_server::Resources for Served {
            $(async fn $name(&self, request: Request<v1::$request>) -> Result<Response<v1::Object>, Status> {
                let metadata = request.metadata().clone();
                self.unary(Call::$call(request.into_inner()), &metadata).await
            })*

            type ListStream = BoxStream<'static, Result<v1::ListChunk, Status>>;
            type WatchStream = BoxStream<'static, Result<v1::WatchBatch, Status>>;
            type ConnectStream = BoxStream<'static, Result<v1::ConnectFrame, Status>>;

            async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<Self::ListStream>, Status> {
                let chunks = Transport::list(&self.memory, request.into_inner()).await.map_err(refusal)?;
                Ok(Response::new(futures::stream::iter(chunks.into_iter().map(Ok)).boxed()))
            }

            async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
                let batches = Transport::watch(&self.memory, request.into_inner()).await.map_err(refusal)?;
                Ok(Response::new(batches.map_err(refusal).boxed()))
            }

            /// Sends everything back.
            async fn connect(
                &self,
                request: Request<Streaming<v1::ConnectFrame>>,
            ) -> Result<Response<Self::ConnectStream>, Status> {
                Ok(Response::new(request.into_inner().boxed()))
            }
        }
    };
}

unary! {
    get: GetRequest => Get,
    create: CreateRequest => Create,
    update: UpdateRequest => Update,
    patch: PatchRequest => Patch,
    delete: DeleteRequest => Delete,
    delete_collection: DeleteCollectionRequest => DeleteCollection,
    discover: DiscoverRequest => Discover,
    read: ReadRequest => Read,
}

/// A client over a pipe in this process.
fn served() -> (Client, Memory, Tokens) {
    let (memory, tokens) = (Memory::new(), Tokens::default());
    let (server_memory, server_tokens) = (memory.clone(), tokens.clone());
    let channel = move || {
        let (memory, tokens) = (server_memory.clone(), server_tokens.clone());
        Endpoint::from_static("http://pipe.invalid").connect_with_connector_lazy(tower::service_fn(move |_| {
            let (near, far) = tokio::io::duplex(1 << 16);
            let served = Served { memory: memory.clone(), tokens: tokens.clone() };
            tokio::spawn(
                Server::builder()
                    .add_service(ResourcesServer::new(served))
                    .serve_with_incoming(futures::stream::iter([Ok::<_, std::io::Error>(far)])),
            );
            std::future::ready(Ok::<_, std::io::Error>(TokioIo::new(near)))
        }))
    };
    let bearer = Bearer::of_token("secret", std::path::Path::new("test")).expect("a token");
    (Client::over(Arc::new(Grpc::over(Lines::new(channel, &bearer), None))), memory, tokens)
}

fn config(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { namespace: Some("a".into()), name: Some(name.into()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

#[tokio::test]
async fn requests_carry_the_token_and_refusals_come_back_whole() {
    let (client, _, tokens) = served();
    let api = client.all::<ConfigMap>();
    assert_eq!(api.create(&config("x")).await.expect("created").name(), "x");
    let again = api.create(&config("x")).await.expect_err("is there");
    assert!(again.is_already_exists());
    assert_eq!(again.to_string(), "configmaps \"x\" already exists");
    assert!(client.namespaced::<ConfigMap>("a").get("none").await.is_err_and(|e| e.is_not_found()));
    assert!(tokens.lock().iter().all(|t| t == "Bearer secret"));
}

#[tokio::test]
async fn lists_and_watches_stream() {
    let (client, memory, _) = served();
    let api = client.namespaced::<ConfigMap>("a");
    api.create(&config("x")).await.expect("created");
    let listed = api.list(&Selection::default()).await.expect("listed");
    assert_eq!(listed.items.len(), 1);
    let watch = Watch { resource_version: listed.resource_version, ..Watch::default() };
    let mut events = api.watch(&watch).await.expect("watches");
    memory.client().all().create(&config("y")).await.expect("created");
    assert!(matches!(events.next().await, Some(Ok(WatchEvent::Added(c))) if c.name() == "y"));
}

#[tokio::test]
async fn connect_opens_with_the_first_frame_and_carries_data_both_ways() {
    let (client, ..) = served();
    let target = v1::Target { resource: "pods".into(), subresource: "exec".into(), ..v1::Target::default() };
    let mut duplex = client.connect(v1::ConnectOpen { target: Some(target), parameters: vec![] }).await.expect("opens");
    let first = duplex.recv.next().await.expect("a frame").expect("in order");
    assert_eq!(first.open.and_then(|o| o.target).map(|t| t.subresource).as_deref(), Some("exec"));
    let data = v1::ConnectFrame { data: "hi".into(), ..v1::ConnectFrame::default() };
    duplex.send.send(data.clone()).await.expect("taken");
    assert_eq!(duplex.recv.next().await.expect("a frame").expect("in order"), data);
}

#[tokio::test]
async fn a_server_that_is_not_there_reads_as_unavailable() {
    let channel = || {
        Endpoint::from_static("http://pipe.invalid").connect_with_connector_lazy(tower::service_fn(|_| {
            std::future::ready(Err::<TokioIo<tokio::io::DuplexStream>, _>(std::io::Error::other("refused")))
        }))
    };
    let client = Client::over(Arc::new(Grpc::over(Lines::new(channel, &Bearer::default()), None)));
    let error = client.namespaced::<ConfigMap>("a").get("x").await.expect_err("nobody answers");
    assert_eq!(error.status().map(|s| s.code), Some(503), "{error:?}");
}
