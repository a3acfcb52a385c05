use bytes::{Bytes, BytesMut};
use nakhoda_api::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::{STATUS, STDOUT, Wanted, outcome, run};
use crate::spdy::Session;
use crate::spdy::frame::Frame;
use crate::spdy::header::{Headers, Writer};
use crate::{Channels, Frame as Piece};

async fn send(client: &mut DuplexStream, frame: Frame) {
    let mut bytes = BytesMut::new();
    frame.encode(&mut bytes);
    client.write_all(&bytes).await.expect("writable");
}

async fn open(client: &mut DuplexStream, headers: &mut Writer, kinds: &[&str]) {
    for (index, kind) in kinds.iter().enumerate() {
        let block = headers.write(&Headers(vec![("streamtype".into(), (*kind).into())]));
        let stream = u32::try_from(2 * index + 1).expect("few streams");
        send(client, Frame::Open { stream, fin: false, block }).await;
    }
}

/// What one stream received until the end of the connection.
async fn received(client: &mut DuplexStream, number: u32) -> Vec<u8> {
    let (mut buffer, mut out) = (BytesMut::new(), Vec::new());
    while client.read_buf(&mut buffer).await.expect("readable") > 0 {}
    while let Some(frame) = Frame::decode(&mut buffer).expect("well formed") {
        if let Frame::Data { stream, data, .. } = frame
            && stream == number
        {
            out.extend_from_slice(&data);
        }
    }
    out
}

#[tokio::test]
async fn stdin_ends_before_the_process_does_and_its_outcome_comes_last() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let (session, work) = Session::start(server);
    let (input, mut stdin) = mpsc::channel(8);
    let (stdout, output) = mpsc::channel(8);
    let wanted = Wanted { stdin: true, stdout: true, ..Wanted::default() };
    tokio::spawn(work);
    let task = tokio::spawn(run(session, Channels { input, output }, wanted, "v4.channel.k8s.io"));

    let mut headers = Writer::default();
    open(&mut client, &mut headers, &["error", "stdin", "stdout"]).await;
    send(&mut client, Frame::Data { stream: 3, data: Bytes::from_static(b"in"), fin: true }).await;
    assert_eq!(stdin.recv().await, Some(Piece { channel: 0, data: Bytes::from_static(b"in"), close: false }));
    assert_eq!(stdin.recv().await, Some(Piece { channel: 0, data: Bytes::new(), close: true }));

    let status = serde_json::to_vec(&Status::success(None)).expect("JSON");
    for (channel, data) in [(STDOUT, b"out".to_vec()), (STATUS, status.clone())] {
        stdout.send(Piece { channel, data: data.into(), close: false }).await.expect("open");
    }
    task.await.expect("ends");
    assert_eq!(received(&mut client, 1).await, status);
}

#[tokio::test]
async fn a_client_that_goes_ends_the_session() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let (session, work) = Session::start(server);
    let (input, mut stdin) = mpsc::channel(8);
    let (_stdout, output) = mpsc::channel(8);
    let wanted = Wanted { stdin: true, ..Wanted::default() };
    tokio::spawn(work);
    let task = tokio::spawn(run(session, Channels { input, output }, wanted, "v4.channel.k8s.io"));
    open(&mut client, &mut Writer::default(), &["error", "stdin"]).await;
    drop(client);
    task.await.expect("ends");
    while stdin.recv().await.is_some() {}
}

#[test]
fn old_protocols_tell_only_failures() {
    let failed = Status::bad_request("no such file");
    assert_eq!(outcome(&failed, "v2.channel.k8s.io"), "no such file");
    assert!(outcome(&Status::success(None), "v2.channel.k8s.io").is_empty());
    assert!(outcome(&Status::success(None), "v4.channel.k8s.io").starts_with(b"{"));
}
