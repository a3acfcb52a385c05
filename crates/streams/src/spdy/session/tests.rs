use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::super::frame::Frame;
use super::super::header::{Headers, Writer};
use super::Session;

/// The other side, by hand.
struct Client {
    io: DuplexStream,
    buffer: BytesMut,
    headers: Writer,
}

impl Client {
    async fn send(&mut self, frame: Frame) {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        self.io.write_all(&bytes).await.expect("writable");
    }

    async fn open(&mut self, stream: u32, kind: &str) {
        let block = self.headers.write(&Headers(vec![("Streamtype".into(), kind.into())]));
        self.send(Frame::Open { stream, fin: false, block }).await;
    }

    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = Frame::decode(&mut self.buffer).expect("well formed") {
                return Some(frame);
            }
            if self.io.read_buf(&mut self.buffer).await.expect("readable") == 0 {
                return None;
            }
        }
    }
}

fn pair() -> (Client, Session) {
    let (io, server) = tokio::io::duplex(1 << 16);
    let (session, work) = Session::start(server);
    tokio::spawn(work);
    (Client { io, buffer: BytesMut::new(), headers: Writer::default() }, session)
}

#[tokio::test]
async fn a_stream_is_half_closed_in_one_direction_and_goes_on_in_the_other() {
    let (mut client, mut session) = pair();
    client.open(1, "stdin").await;
    let mut stream = session.accept().await.expect("a stream");
    assert_eq!(stream.headers.get("streamtype"), "stdin");
    assert!(matches!(client.next().await, Some(Frame::Reply { stream: 1, fin: false, .. })));
    client.send(Frame::Data { stream: 1, data: Bytes::from_static(b"in"), fin: true }).await;
    assert_eq!(stream.reader.recv().await.as_deref(), Some(&b"in"[..]));
    assert_eq!(stream.reader.recv().await, None);
    stream.writer.send(Bytes::from_static(b"out")).await.expect("open");
    stream.writer.finish().await.expect("open");
    assert_eq!(client.next().await, Some(Frame::Data { stream: 1, data: Bytes::from_static(b"out"), fin: false }));
    assert_eq!(client.next().await, Some(Frame::Data { stream: 1, data: Bytes::new(), fin: true }));
}

#[tokio::test]
async fn a_reset_ends_both_directions() {
    let (mut client, mut session) = pair();
    client.open(1, "data").await;
    let mut stream = session.accept().await.expect("a stream");
    client.send(Frame::Reset { stream: 1, status: 5 }).await;
    assert_eq!(stream.reader.recv().await, None);
    stream.writer.closed().await;
    assert!(stream.writer.send(Bytes::from_static(b"x")).await.is_err());
}

#[tokio::test]
async fn pings_are_answered_and_a_close_comes_after_the_data() {
    let (mut client, mut session) = pair();
    client.send(Frame::Ping(7)).await;
    assert_eq!(client.next().await, Some(Frame::Ping(7)));
    client.open(3, "stdout").await;
    let stream = session.accept().await.expect("a stream");
    stream.writer.send(Bytes::from(vec![b'x'; 100_000])).await.expect("open");
    session.close().await;
    let mut length = 0;
    let mut away = false;
    while let Some(frame) = client.next().await {
        match frame {
            Frame::Data { data, .. } => length += data.len(),
            Frame::GoAway { .. } => away = true,
            _ => {}
        }
    }
    assert!(away);
    assert_eq!(length, 100_000);
}

#[tokio::test]
async fn numbers_that_were_used_or_are_the_servers_are_refused() {
    let (mut client, mut session) = pair();
    client.open(3, "a").await;
    assert!(session.accept().await.is_some());
    assert!(matches!(client.next().await, Some(Frame::Reply { .. })));
    for number in [3, 2, 1] {
        client.open(number, "b").await;
        assert_eq!(client.next().await, Some(Frame::Reset { stream: number, status: 3 }));
    }
}

#[tokio::test]
async fn the_end_of_the_connection_ends_every_stream() {
    let (mut client, mut session) = pair();
    client.open(1, "a").await;
    let mut stream = session.accept().await.expect("a stream");
    drop(client);
    assert_eq!(stream.reader.recv().await, None);
    assert!(session.accept().await.is_none());
}
