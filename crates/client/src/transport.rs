//! [`Transport`]: the seam between what a caller wants and how it travels. gRPC is one
//! implementation, [`crate::memory::Memory`] the other.

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use nakhoda_rpc::v1;
use tokio::sync::mpsc;

use crate::error::Result;

/// A request with one object as its answer.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each variant is the rpc of that name")]
pub enum Call {
    Get(v1::GetRequest),
    Create(v1::CreateRequest),
    Update(v1::UpdateRequest),
    Patch(v1::PatchRequest),
    Delete(v1::DeleteRequest),
    DeleteCollection(v1::DeleteCollectionRequest),
    Discover(v1::DiscoverRequest),
    Read(v1::ReadRequest),
}

/// Carries requests to an API server. An implementation reconnects by itself and never retries a
/// request: whether that is safe, only the caller knows.
pub trait Transport: Send + Sync + 'static {
    /// One object for one request.
    fn call(&self, call: Call) -> BoxFuture<'static, Result<v1::Object>>;

    /// Every chunk of a list.
    fn list(&self, request: v1::ListRequest) -> BoxFuture<'static, Result<Vec<v1::ListChunk>>>;

    /// Changes until the server ends the stream or it breaks.
    fn watch(
        &self,
        request: v1::WatchRequest,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::WatchBatch>>>>;

    /// Frames both ways; the first one sent opens the stream.
    fn connect(
        &self,
        frames: mpsc::Receiver<v1::ConnectFrame>,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::ConnectFrame>>>>;
}
