//! Sessions in containers and forwarded ports, as clients of Kubernetes speak them: SPDY/3.1 and websockets. The
//! API server and the kubelet both answer so; what stands behind a session is a pair of queues ([`Channels`]),
//! behind ports something that opens byte streams ([`Dial`]).

pub mod forward;
pub mod headers;
pub mod session;
pub mod spdy;
pub mod upgrade;
pub mod websocket;

use bytes::Bytes;
use futures::future::BoxFuture;
use nakhoda_api::Status;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// Frames of an exec or attach session: (channel, data); an empty `data` with `close` ends a channel.
pub struct Channels {
    /// Towards the container: 0 stdin, 4 resize as `{"Width":w,"Height":h}`.
    pub input: mpsc::Sender<Frame>,
    /// From it: 1 stdout, 2 stderr, 3 the final Status as JSON.
    pub output: mpsc::Receiver<Frame>,
}

/// A piece of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which channel.
    pub channel: u8,
    /// What.
    pub data: Bytes,
    /// No more data on this channel.
    pub close: bool,
}

/// A byte stream both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Opens byte streams to one pod, node or endpoint.
pub trait Dial: Send + Sync {
    /// A stream to a port.
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>>;
}
