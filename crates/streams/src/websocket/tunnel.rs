//! A byte stream through a websocket: binary messages one after the other, their borders without meaning.

use axum::extract::ws::{Message, WebSocket};
use bytes::BytesMut;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};

const BUFFER: usize = 64 << 10;

/// The near end of the stream, and the work that carries it, which ends when either side does.
pub fn open(socket: WebSocket) -> (DuplexStream, impl Future<Output = ()> + Send) {
    let (near, far) = tokio::io::duplex(BUFFER);
    let (sink, source) = socket.split();
    let (read, write) = tokio::io::split(far);
    let work = async move {
        tokio::select! {
            () = receive(source, write) => {}
            () = send(read, sink) => {}
        }
    };
    (near, work)
}

async fn receive(mut source: SplitStream<WebSocket>, mut write: WriteHalf<DuplexStream>) {
    while let Some(Ok(message)) = source.next().await {
        let data = match message {
            Message::Binary(data) => data,
            Message::Close(_) => return,
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => continue,
        };
        if write.write_all(&data).await.is_err() {
            // what was sent before is still on its way out
            std::future::pending::<()>().await;
        }
    }
}

async fn send(mut read: ReadHalf<DuplexStream>, mut sink: SplitSink<WebSocket, Message>) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(BUFFER);
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if sink.send(Message::Binary(buffer.split().freeze())).await.is_err() {
            return;
        }
    }
    // the peer may be gone, and then nobody waits for the farewell
    sink.send(super::farewell()).await.unwrap_or_default();
}
