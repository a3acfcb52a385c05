//! The gRPC service `Node`.

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Status;
use nakhoda_rpc::status::to_tonic;
use nakhoda_rpc::v1::node_server::Node;
use nakhoda_rpc::v1::{
    BlobList, Chunk, ImageList, ImageListRequest, ImageProgress, ImageRef, LogsRequest, NodeFrame, NodeOpen, NodeUsage,
    StatsRequest, UsageRequest,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Streaming};

use super::{Server, forward};

type Answer<T> = Result<Response<T>, tonic::Status>;
type Frames = BoxStream<'static, Result<NodeFrame, tonic::Status>>;

/// Frames that may wait for the caller to take them.
const WAITING: usize = 16;

/// Answers from a [`Server`].
#[derive(Clone)]
pub struct NodeService {
    server: Server,
}

// === impl NodeService ===

impl NodeService {
    /// Over what the server knows.
    #[must_use]
    pub const fn new(server: Server) -> Self {
        Self { server }
    }

    /// Runs a talk in a task; its failure ends the stream.
    fn talk<T, F>(
        &self,
        name: &str,
        run: impl FnOnce(Server, mpsc::Sender<Result<T, tonic::Status>>) -> F,
    ) -> BoxStream<'static, Result<T, tonic::Status>>
    where
        T: Send + 'static,
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let (send, receive) = mpsc::channel(WAITING);
        let talk = run(self.server.clone(), send.clone());
        self.server.host.tasks.spawn(name, async move {
            if let Err(status) = talk.await
                && send.send(Err(to_tonic(&status))).await.is_err()
            {
                tracing::debug!(status.message, "the caller has gone away");
            }
        });
        ReceiverStream::new(receive).boxed()
    }
}

/// The first frame, which says what is wanted.
async fn open(frames: &mut Streaming<NodeFrame>) -> Result<NodeOpen, tonic::Status> {
    let first = frames.message().await?;
    let open = first.and_then(|frame| frame.open);
    open.ok_or_else(|| to_tonic(&Status::bad_request("the first frame must open the stream")))
}

#[tonic::async_trait]
impl Node for NodeService {
    type LogsStream = BoxStream<'static, Result<Chunk, tonic::Status>>;
    type ExecStream = Frames;
    type AttachStream = Frames;
    type PortForwardStream = Frames;
    type DialStream = Frames;
    type LoadImagesStream = BoxStream<'static, Result<ImageProgress, tonic::Status>>;

    async fn logs(&self, request: Request<LogsRequest>) -> Answer<Self::LogsStream> {
        let found = self.server.find_log(request.get_ref()).map_err(|status| to_tonic(&status))?;
        let (send, receive) = mpsc::channel(WAITING);
        let server = self.server.clone();
        self.server.host.tasks.spawn("logs", async move {
            if let Err(error) = server.send_log(found, send).await {
                tracing::debug!(%error, "log not read to its end");
            }
        });
        Ok(Response::new(ReceiverStream::new(receive).map(|data| Ok(Chunk { data })).boxed()))
    }

    async fn exec(&self, request: Request<Streaming<NodeFrame>>) -> Answer<Frames> {
        let mut frames = request.into_inner();
        let open = open(&mut frames).await?;
        Ok(Response::new(self.talk("exec", |server, out| async move { server.exec(open, frames, out).await })))
    }

    async fn attach(&self, request: Request<Streaming<NodeFrame>>) -> Answer<Frames> {
        let mut frames = request.into_inner();
        let open = open(&mut frames).await?;
        Ok(Response::new(self.talk("attach", |server, out| async move { server.attach(open, frames, out).await })))
    }

    async fn port_forward(&self, request: Request<Streaming<NodeFrame>>) -> Answer<Frames> {
        let mut frames = request.into_inner();
        let open = open(&mut frames).await?;
        let stream = self.server.connect_pod(&open).await.map_err(|status| to_tonic(&status))?;
        Ok(Response::new(self.talk("port-forward", |_, out| async move {
            forward::carry(stream, frames, out).await;
            Ok(())
        })))
    }

    async fn dial(&self, request: Request<Streaming<NodeFrame>>) -> Answer<Frames> {
        let mut frames = request.into_inner();
        let open = open(&mut frames).await?;
        let stream = self.server.connect_address(&open).await.map_err(|status| to_tonic(&status))?;
        Ok(Response::new(self.talk("dial", |_, out| async move {
            forward::carry(stream, frames, out).await;
            Ok(())
        })))
    }

    async fn stats(&self, _: Request<StatsRequest>) -> Answer<Chunk> {
        let summary = self.server.summary(false).await.map_err(|error| to_tonic(&Status::internal(&error)))?;
        Ok(Response::new(Chunk { data: summary.to_string().into() }))
    }

    async fn usage(&self, request: Request<UsageRequest>) -> Answer<NodeUsage> {
        Ok(Response::new(self.server.usage(request.into_inner().pods)))
    }

    async fn load_images(&self, request: Request<Streaming<Chunk>>) -> Answer<Self::LoadImagesStream> {
        let chunks = request.into_inner();
        Ok(Response::new(self.talk("image load", |server, out| async move { server.load(chunks, out).await })))
    }

    async fn missing_blobs(&self, request: Request<BlobList>) -> Answer<BlobList> {
        let digests = request.into_inner().digests;
        let missing =
            self.server.images().missing(digests).await.map_err(|error| to_tonic(&Status::internal(&error)))?;
        Ok(Response::new(BlobList { digests: missing }))
    }

    async fn list_images(&self, _: Request<ImageListRequest>) -> Answer<ImageList> {
        let images = self.server.list().await.map_err(|status| to_tonic(&status))?;
        Ok(Response::new(ImageList { images }))
    }

    async fn remove_image(&self, request: Request<ImageRef>) -> Answer<ImageRef> {
        let name = request.into_inner();
        self.server.remove(&name.name).await.map_err(|status| to_tonic(&status))?;
        Ok(Response::new(name))
    }
}
