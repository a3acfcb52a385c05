//! One byte stream of a session, as the side that did not open it sees it.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frame::{CANCEL, Frame, MAX_DATA};
use super::header::Headers;

/// A stream: its headers, and both directions.
pub struct Stream {
    /// Its number on the connection.
    pub id: u32,
    /// What it is for.
    pub headers: Headers,
    /// From the peer.
    pub reader: Reader,
    /// To the peer.
    pub writer: Writer,
}

/// The direction from the peer.
pub struct Reader(pub(super) mpsc::Receiver<Bytes>);

/// The direction to the peer.
pub struct Writer {
    pub(super) stream: u32,
    pub(super) out: mpsc::Sender<Frame>,
    pub(super) reset: CancellationToken,
}

/// The peer, or the connection, does not take any more data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SPDY stream is closed")]
pub struct Closed;

// === impl Reader ===

impl Reader {
    /// The next piece, `None` after the last one.
    pub async fn recv(&mut self) -> Option<Bytes> {
        self.0.recv().await
    }
}

// === impl Writer ===

impl Writer {
    /// Sends data, in frames of a bounded size.
    pub async fn send(&self, mut data: Bytes) -> Result<(), Closed> {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(MAX_DATA));
            self.frame(Frame::Data { stream: self.stream, data: piece, fin: false }).await?;
        }
        Ok(())
    }

    /// Says that no more data comes.
    pub async fn finish(&self) -> Result<(), Closed> {
        self.frame(Frame::Data { stream: self.stream, data: Bytes::new(), fin: true }).await
    }

    /// Ends the stream in both directions at once.
    pub async fn cancel(&self) -> Result<(), Closed> {
        self.frame(Frame::Reset { stream: self.stream, status: CANCEL }).await
    }

    /// Resolves when the peer has ended the stream at once.
    pub async fn closed(&self) {
        self.reset.cancelled().await;
    }

    async fn frame(&self, frame: Frame) -> Result<(), Closed> {
        tokio::select! {
            biased;
            () = self.reset.cancelled() => Err(Closed),
            sent = self.out.send(frame) => sent.map_err(|_| Closed),
        }
    }
}
