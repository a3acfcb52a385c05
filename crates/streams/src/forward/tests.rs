use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use nakhoda_api::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::serve;
use crate::spdy::frame::Frame;
use crate::spdy::header::{Headers, Writer};
use crate::{Dial, Duplex};

/// A pod that says on port 7 what it hears, and listens nowhere else.
struct Echo;

impl Dial for Echo {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>> {
        Box::pin(async move {
            if port != 7 {
                return Err(Status::unavailable("connection refused", 0));
            }
            let (near, far) = tokio::io::duplex(1 << 12);
            tokio::spawn(async move {
                let (mut read, mut write) = tokio::io::split(far);
                tokio::io::copy(&mut read, &mut write).await.expect("copied");
                write.shutdown().await.expect("shut down");
            });
            Ok(Box::new(near) as Box<dyn Duplex>)
        })
    }
}

struct Client {
    io: DuplexStream,
    buffer: BytesMut,
}

impl Client {
    async fn send(&mut self, frame: Frame) {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        self.io.write_all(&bytes).await.expect("writable");
    }

    async fn open(&mut self, port: &str) {
        let mut headers = Writer::default();
        for (stream, kind) in [(1, "error"), (3, "data")] {
            let pairs = [("streamtype", kind), ("port", port), ("requestid", "0")];
            let block = headers.write(&Headers(pairs.map(|(n, v)| (n.into(), v.into())).into()));
            self.send(Frame::Open { stream, fin: false, block }).await;
        }
    }

    async fn next(&mut self) -> Frame {
        loop {
            match Frame::decode(&mut self.buffer).expect("well formed") {
                Some(Frame::Reply { .. }) => {}
                Some(frame) => return frame,
                None => assert!(self.io.read_buf(&mut self.buffer).await.expect("readable") > 0),
            }
        }
    }
}

fn client() -> Client {
    let (io, server) = tokio::io::duplex(1 << 16);
    tokio::spawn(serve(server, Arc::new(Echo)));
    Client { io, buffer: BytesMut::new() }
}

#[tokio::test]
async fn bytes_go_both_ways_until_the_pod_closes() {
    let mut client = client();
    client.open("7").await;
    client.send(Frame::Data { stream: 3, data: Bytes::from_static(b"ping"), fin: true }).await;
    assert_eq!(client.next().await, Frame::Data { stream: 3, data: Bytes::from_static(b"ping"), fin: false });
    assert_eq!(client.next().await, Frame::Data { stream: 3, data: Bytes::new(), fin: true });
    assert_eq!(client.next().await, Frame::Data { stream: 1, data: Bytes::new(), fin: true });
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_on_the_error_stream() {
    let mut client = client();
    client.open("8").await;
    let Frame::Data { stream: 1, data, .. } = client.next().await else { panic!("no error") };
    assert_eq!(data, "error forwarding port 8: connection refused");
    assert_eq!(client.next().await, Frame::Data { stream: 1, data: Bytes::new(), fin: true });
    assert_eq!(client.next().await, Frame::Reset { stream: 3, status: 5 });
}
