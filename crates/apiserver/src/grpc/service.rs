//! The methods of `Resources`, each a few lines: a message in, a request through the pipeline, a message
//! out.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Status;
use nakhoda_api::patch::PatchKind;
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::resources_server::Resources;
use tonic::{Request, Response, Streaming};

use super::convert::{self, Envelope, failed};
use super::{Front, aggregated, connect, list, watch};
use crate::discovery;
use crate::request::{Accept, Action, ListOptions, PatchWrite, ResourceTarget, WatchOptions, Write};
use crate::response;

type Reply<T> = Result<Response<T>, tonic::Status>;

/// The service.
pub struct Service {
    front: Arc<Front>,
}

// === impl Service ===

impl Service {
    /// A front of one pipeline.
    #[must_use]
    pub const fn new(front: Arc<Front>) -> Self {
        Self { front }
    }

    async fn call(
        &self,
        envelope: &Envelope,
        target: ResourceTarget,
        action: Action,
        accept: Accept,
    ) -> Result<response::Response, tonic::Status> {
        let work = self.front.pipeline.call(envelope.request(target, action, accept));
        let outcome = match envelope.deadline {
            None => work.await,
            Some(deadline) => tokio::time::timeout(deadline, work)
                .await
                .unwrap_or_else(|_| Err(Status::timeout("the deadline of the call is over"))),
        };
        outcome.map_err(failed)
    }

    async fn one(
        &self,
        envelope: &Envelope,
        target: ResourceTarget,
        action: Action,
        accept: Accept,
    ) -> Reply<v1::Object> {
        let response = self.call(envelope, target, action, accept).await?;
        convert::object(response, accept).map(Response::new).map_err(failed)
    }
}

#[tonic::async_trait]
impl Resources for Service {
    type ListStream = BoxStream<'static, Result<v1::ListChunk, tonic::Status>>;
    type WatchStream = BoxStream<'static, Result<v1::WatchBatch, tonic::Status>>;
    type ConnectStream = BoxStream<'static, Result<v1::ConnectFrame, tonic::Status>>;

    async fn get(&self, call: Request<v1::GetRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let accept = convert::accept(&message.accept).map_err(failed)?;
        let action = Action::Get { resource_version: message.resource_version };
        self.one(&envelope, convert::target(message.target), action, accept).await
    }

    async fn list(&self, call: Request<v1::ListRequest>) -> Reply<Self::ListStream> {
        let (envelope, message) = Envelope::open(call)?;
        let accept = convert::accept(&message.accept).map_err(failed)?;
        let options = ListOptions {
            resource_version: message.resource_version,
            resource_version_match: message.resource_version_match,
            limit: message.limit,
            continue_token: message.continue_token,
            ..convert::selection(message.selection)
        };
        let response = self.call(&envelope, convert::target(message.target), Action::List(options), accept).await?;
        list::chunks(response, accept).map(Response::new).map_err(failed)
    }

    async fn watch(&self, call: Request<v1::WatchRequest>) -> Reply<Self::WatchStream> {
        let (envelope, message) = Envelope::open(call)?;
        let accept = convert::accept(&message.accept).map_err(failed)?;
        let initial = message.send_initial_events;
        let rule = if initial { "NotOlderThan".into() } else { message.resource_version_match };
        let options = WatchOptions {
            list: ListOptions {
                resource_version: message.resource_version,
                resource_version_match: rule,
                ..convert::selection(message.selection)
            },
            bookmarks: message.bookmarks,
            send_initial_events: initial.then_some(true),
            timeout_seconds: Some(u64::from(message.timeout_seconds)),
        };
        let response = self.call(&envelope, convert::target(message.target), Action::Watch(options), accept).await?;
        let batches = watch::batches(response, accept, self.front.tasks.token()).map_err(failed)?;
        Ok(Response::new(envelope.caller.trail.hold_stream(batches).boxed()))
    }

    async fn create(&self, call: Request<v1::CreateRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let (options, accept) = convert::write(message.options).map_err(failed)?;
        let write = Write { body: convert::body(message.object).map_err(failed)?, options };
        self.one(&envelope, convert::target(message.target), Action::Create(write), accept).await
    }

    async fn update(&self, call: Request<v1::UpdateRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let (options, accept) = convert::write(message.options).map_err(failed)?;
        let write = Write { body: convert::body(message.object).map_err(failed)?, options };
        self.one(&envelope, convert::target(message.target), Action::Update(write), accept).await
    }

    async fn patch(&self, call: Request<v1::PatchRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let (options, accept) = convert::write(message.options).map_err(failed)?;
        let patch = message.patch.unwrap_or_default();
        if patch.body.len() > convert::BODY_MAX {
            return Err(failed(Status::too_large(convert::BODY_MAX)));
        }
        let kind = PatchKind::parse(&patch.media_type).ok_or_else(|| {
            failed(Status::unsupported_media_type(format!("{:?} is no media type of a patch", patch.media_type)))
        })?;
        let write = PatchWrite { kind, bytes: patch.body, force: message.force, options };
        self.one(&envelope, convert::target(message.target), Action::Patch(write), accept).await
    }

    async fn delete(&self, call: Request<v1::DeleteRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let (options, accept) = convert::write(message.options).map_err(failed)?;
        let deletion = convert::deletion(message.delete_options, options).map_err(failed)?;
        self.one(&envelope, convert::target(message.target), Action::Delete(deletion), accept).await
    }

    async fn delete_collection(&self, call: Request<v1::DeleteCollectionRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let (options, accept) = convert::write(message.options).map_err(failed)?;
        let deletion = convert::deletion(message.delete_options, options).map_err(failed)?;
        let action = Action::DeleteCollection(deletion, convert::selection(message.selection));
        self.one(&envelope, convert::target(message.target), action, accept).await
    }

    async fn discover(&self, call: Request<v1::DiscoverRequest>) -> Reply<v1::Object> {
        let (envelope, _) = Envelope::open(call)?;
        let request = crate::request::Request {
            target: crate::request::Target::Path("/apis".into()),
            action: Action::Visit { method: "get".into() },
            caller: envelope.caller,
            accept: Accept::default(),
        };
        self.front.pipeline.call(request).await.map_err(failed)?;
        let groups = discovery::groups(self.front.pipeline.kinds());
        let document = discovery::aggregated::document(groups.iter(), "v2");
        Ok(Response::new(v1::Object {
            media_type: "application/json".into(),
            body: document.to_string().into(),
            ..v1::Object::default()
        }))
    }

    async fn read(&self, call: Request<v1::ReadRequest>) -> Reply<v1::Object> {
        let (envelope, message) = Envelope::open(call)?;
        let answer = aggregated::read(&self.front.pipeline, &envelope.caller, &message.path).await;
        answer.map(Response::new).map_err(failed)
    }

    async fn connect(&self, call: Request<Streaming<v1::ConnectFrame>>) -> Reply<Self::ConnectStream> {
        let (envelope, mut frames) = Envelope::open(call)?;
        let Some(open) = frames.message().await?.and_then(|frame| frame.open) else {
            return Err(failed(Status::bad_request("the first frame of a Connect must open it")));
        };
        let (target, connect) = connect::opened(open);
        let parameters = connect.parameters.clone();
        // no deadline: a session lasts as long as its user likes
        let envelope = Envelope { deadline: None, ..envelope };
        let response = self.call(&envelope, target, Action::Connect(connect), Accept::default()).await?;
        let frames = connect::run(&self.front.tasks, response, frames, &parameters).map_err(failed)?;
        Ok(Response::new(envelope.caller.trail.hold_stream(frames).boxed()))
    }
}
