//! Byte streams through a kubelet: to a port of a pod, or to an address that the node reaches.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt};
use nakhoda_api::Status;
use nakhoda_rpc::status::from_tonic;
use nakhoda_rpc::v1::{NodeFrame, NodeOpen};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::PollSender;
use tonic::Streaming;

use super::channels::QUEUE;
use super::{Kubelets, Place};
use crate::response::{Dial, Duplex};

const PIECE: usize = 32 << 10;
/// Bytes to the pod.
const TO: u32 = 0;
/// The channel on which a kubelet tells a failure.
const FAILURE: u32 = 3;

/// Opens streams through one kubelet.
pub struct Through {
    /// The dialler.
    pub kubelets: Kubelets,
    /// The kubelet.
    pub place: Place,
    /// What is opened; the port is filled in.
    pub open: NodeOpen,
}

/// Opens connections to the HTTPS paths of one kubelet, whatever the port.
pub struct Paths {
    /// The dialler.
    pub kubelets: Kubelets,
    /// The kubelet.
    pub place: Place,
}

/// One stream.
struct Tunnel {
    inbound: Streaming<NodeFrame>,
    outbound: PollSender<NodeFrame>,
    rest: Bytes,
    ended: bool,
    shut: bool,
}

// === impl Through ===

impl Dial for Through {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>> {
        Box::pin(async move {
            let mut node = self.kubelets.node(&self.place)?;
            let (sender, frames) = mpsc::channel(QUEUE);
            let open = NodeOpen { port: port.into(), ..self.open.clone() };
            let by_address = !open.address.is_empty();
            let first = NodeFrame { open: Some(open), ..NodeFrame::default() };
            let request = futures::stream::once(std::future::ready(first)).chain(ReceiverStream::new(frames));
            let answer = if by_address { node.dial(request).await } else { node.port_forward(request).await };
            let inbound = answer.map_err(|status| from_tonic(&status))?.into_inner();
            let outbound = PollSender::new(sender);
            let tunnel = Tunnel { inbound, outbound, rest: Bytes::new(), ended: false, shut: false };
            Ok(Box::new(tunnel) as Box<dyn Duplex>)
        })
    }
}

// === impl Paths ===

impl Dial for Paths {
    fn dial(&self, _: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>> {
        Box::pin(async move { Ok(Box::new(self.kubelets.http(&self.place).await?) as Box<dyn Duplex>) })
    }
}

// === impl Tunnel ===

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.rest.is_empty() && !self.ended {
            match ready!(Pin::new(&mut self.inbound).poll_next(cx)) {
                None => self.ended = true,
                Some(Err(status)) => return Poll::Ready(Err(io::Error::other(status.message().to_owned()))),
                Some(Ok(frame)) if frame.channel == FAILURE => {
                    return Poll::Ready(Err(io::Error::other(reason(&frame.data))));
                }
                Some(Ok(frame)) => {
                    self.ended = frame.close;
                    self.rest = frame.data;
                }
            }
        }
        let length = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.outbound.poll_reserve(cx)).map_err(|_| gone())?;
        let data = Bytes::copy_from_slice(&bytes[..bytes.len().min(PIECE)]);
        let length = data.len();
        self.outbound.send_item(NodeFrame { open: None, channel: TO, data, close: false }).map_err(|_| gone())?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.shut {
            return Poll::Ready(Ok(()));
        }
        // a kubelet that is gone needs no farewell
        if ready!(self.outbound.poll_reserve(cx)).is_ok() {
            let frame = NodeFrame { open: None, channel: TO, data: Bytes::new(), close: true };
            self.outbound.send_item(frame).map_err(|_| gone())?;
        }
        self.shut = true;
        Poll::Ready(Ok(()))
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the kubelet ended the stream")
}

/// The text of a failure: a Status, or whatever the kubelet wrote.
fn reason(data: &[u8]) -> String {
    match serde_json::from_slice::<Status>(data) {
        Ok(status) => status.message,
        Err(_) => String::from_utf8_lossy(data).into_owned(),
    }
}
