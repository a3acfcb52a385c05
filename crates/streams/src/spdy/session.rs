//! A session: many streams over one connection, opened by the peer.
//!
//! Two halves run side by side and share a table of streams, so that a full queue in one direction
//! never stops the other.

mod table;

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frame::{Frame, FrameError, INVALID_STREAM, REFUSED_STREAM};
use super::header::{self, HeaderError, Headers};
use super::stream::{self, Stream};
use table::Table;

/// Pieces that wait in one stream before the whole connection waits for its reader.
const QUEUE: usize = 256;
const OUT: usize = 64;
const READ: usize = 64 << 10;

/// The end of a connection that was not in order.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The connection broke.
    #[error("the SPDY connection broke")]
    Io(#[from] io::Error),
    /// The peer does not speak SPDY/3.1.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer's headers cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// The side of a session that takes new streams.
pub struct Session {
    incoming: mpsc::Receiver<Stream>,
    out: mpsc::Sender<Frame>,
}

struct Inbound {
    table: Arc<Mutex<Table>>,
    incoming: mpsc::Sender<Stream>,
    out: mpsc::Sender<Frame>,
    headers: header::Reader,
    replies: header::Writer,
}

// === impl Session ===

impl Session {
    /// A session over a connection, and the work that has to be driven for it to live. The work ends
    /// when the peer goes, or after [`Session::close`].
    pub fn start<T>(io: T) -> (Self, impl Future<Output = Result<(), SessionError>>)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (incoming_in, incoming) = mpsc::channel(OUT);
        let (out, outgoing) = mpsc::channel(OUT);
        let table = Arc::new(Mutex::new(Table::default()));
        let inbound = Inbound {
            table: table.clone(),
            incoming: incoming_in,
            out: out.clone(),
            headers: header::Reader::default(),
            replies: header::Writer::default(),
        };
        let (read, write) = tokio::io::split(io);
        let work = async move {
            let result = tokio::select! {
                result = inbound.run(read) => result,
                result = write_all(write, outgoing, &table) => result,
            };
            table.lock().clear();
            result
        };
        (Self { incoming, out }, work)
    }

    /// The next stream that the peer opens, `None` once it has gone.
    pub async fn accept(&mut self) -> Option<Stream> {
        self.incoming.recv().await
    }

    /// Ends the session after everything that was sent before.
    pub async fn close(&self) {
        // a connection that is gone already needs no farewell
        self.out.send(Frame::GoAway { last: 0, status: 0 }).await.unwrap_or_default();
    }
}

// === impl Inbound ===

impl Inbound {
    async fn run(mut self, mut read: impl AsyncRead + Unpin) -> Result<(), SessionError> {
        let mut buffer = BytesMut::with_capacity(READ);
        loop {
            while let Some(frame) = Frame::decode(&mut buffer)? {
                self.handle(frame).await?;
            }
            buffer.reserve(READ);
            if read.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
    }

    async fn handle(&mut self, frame: Frame) -> Result<(), SessionError> {
        match frame {
            Frame::Open { stream, fin, block } => {
                let headers = self.headers.read(&block)?;
                self.open(stream, fin, headers).await;
            }
            Frame::Data { stream, data, fin } => self.data(stream, data, fin).await,
            Frame::Reset { stream, .. } => self.table.lock().reset(stream),
            // an even number answers a ping of ours, and we send none
            Frame::Ping(id) if id % 2 == 1 => self.send(Frame::Ping(id)).await,
            // the compression is one stream for all blocks: each must be read, wanted or not
            Frame::Headers { block, .. } | Frame::Reply { block, .. } => {
                self.headers.read(&block)?;
            }
            Frame::Ping(_) | Frame::GoAway { .. } | Frame::Other(_) => {}
        }
        Ok(())
    }

    async fn open(&mut self, id: u32, fin: bool, headers: Headers) {
        let (data, reader) = mpsc::channel(QUEUE);
        let reset = CancellationToken::new();
        if !self.table.lock().open(id, (!fin).then_some(data), reset.clone()) {
            return self.send(Frame::Reset { stream: id, status: REFUSED_STREAM }).await;
        }
        let block = self.replies.write(&Headers::default());
        self.send(Frame::Reply { stream: id, fin: false, block }).await;
        let writer = stream::Writer { stream: id, out: self.out.clone(), reset };
        let stream = Stream { id, headers, reader: stream::Reader(reader), writer };
        if self.incoming.send(stream).await.is_err() {
            self.table.lock().reset(id);
            self.send(Frame::Reset { stream: id, status: REFUSED_STREAM }).await;
        }
    }

    async fn data(&mut self, id: u32, data: Bytes, fin: bool) {
        let Some((queue, reset)) = self.table.lock().queue(id) else {
            return self.send(Frame::Reset { stream: id, status: INVALID_STREAM }).await;
        };
        if !data.is_empty() {
            // a stream whose reader is gone swallows the rest
            tokio::select! {
                sent = queue.send(data) => sent.unwrap_or_default(),
                () = reset.cancelled() => {}
            }
        }
        if fin {
            self.table.lock().finish_read(id);
        }
    }

    async fn send(&self, frame: Frame) {
        // the other half has ended, and this one ends with it
        self.out.send(frame).await.unwrap_or_default();
    }
}

async fn write_all(
    mut io: impl AsyncWrite + Unpin,
    mut outgoing: mpsc::Receiver<Frame>,
    table: &Mutex<Table>,
) -> Result<(), SessionError> {
    let mut buffer = BytesMut::new();
    while let Some(first) = outgoing.recv().await {
        let mut last = false;
        let mut next = Some(first);
        while let Some(frame) = next {
            match &frame {
                Frame::Data { stream, fin: true, .. } => table.lock().finish_write(*stream),
                Frame::Reset { stream, .. } => table.lock().reset(*stream),
                Frame::GoAway { .. } => last = true,
                _ => {}
            }
            frame.encode(&mut buffer);
            next = if buffer.len() < READ && !last { outgoing.try_recv().ok() } else { None };
        }
        io.write_all(&buffer).await?;
        io.flush().await?;
        buffer.clear();
        if last {
            io.shutdown().await?;
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
