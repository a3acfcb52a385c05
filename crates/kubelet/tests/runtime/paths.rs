//! Upstream's HTTPS paths, asked as their clients do: a websocket for exec, plain requests for the rest.

use futures::{SinkExt, StreamExt};
use nakhoda_daemon::tls;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::node::Scratch;

async fn connect(scratch: &Scratch, port: u16) -> TlsStream<TcpStream> {
    let file = |name: &str| scratch.0.join("pki").join(name);
    let (certificate, key) = (file("apiserver-kubelet-client.crt"), file("apiserver-kubelet-client.key"));
    let identity = tls::Files::load(&certificate, &key).expect("loaded");
    let config = tls::client(tls::roots(&file("ca.crt")).expect("read"), Some(identity), &[b"http/1.1"]);
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("listens");
    let name = "127.0.0.1".try_into().expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("trusted")
}

/// The whole answer, head and all.
async fn ask(scratch: &Scratch, port: u16, request: &str) -> String {
    let mut stream = connect(scratch, port).await;
    let text = format!("{request} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(text.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // The server may end the connection without a farewell.
    stream.read_to_end(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer).into_owned()
}

/// What comes over a websocket, piece by piece.
async fn talk(scratch: &Scratch, port: u16, path: &str, input: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut request = format!("wss://127.0.0.1:{port}{path}").into_client_request().expect("a request");
    let protocol = http::HeaderValue::from_static("v5.channel.k8s.io");
    request.headers_mut().insert(http::header::SEC_WEBSOCKET_PROTOCOL, protocol);
    let stream = connect(scratch, port).await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("agreed");
    for piece in input {
        socket.send(Message::Binary(piece.to_vec().into())).await.expect("sent");
    }
    let mut pieces = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(piece) = message {
            pieces.push(piece.to_vec());
        }
    }
    pieces
}

/// For the pod `web` of namespace `d`.
pub(crate) async fn answer(scratch: &Scratch, port: u16) {
    let said = talk(scratch, port, "/exec/d/web/c?command=cat&input=1&output=1", &[b"\0hello\n", &[255, 0]]).await;
    let out: Vec<u8> = said.iter().filter(|piece| piece[0] == 1).flat_map(|piece| &piece[1..]).copied().collect();
    assert_eq!(String::from_utf8_lossy(&out), "hello\n");
    let status: Vec<_> = said.iter().filter(|piece| piece[0] == 3).collect();
    assert!(String::from_utf8_lossy(status[0]).contains("Success"), "{said:?}");

    let ran = ask(scratch, port, "POST /run/d/web/c?cmd=/bin/busybox+echo+done").await;
    assert!(ran.starts_with("HTTP/1.1 200") && ran.contains("done\n"), "{ran}");
    let log = ask(scratch, port, "GET /containerLogs/d/web/c").await;
    assert!(log.contains("abc"), "{log}");
    let folders = ask(scratch, port, "GET /logs/").await;
    assert!(folders.contains("d_web_"), "{folders}");
    let plain = ask(scratch, port, "POST /exec/d/web/c?command=cat&output=1").await;
    assert!(plain.starts_with("HTTP/1.1 400") && plain.ends_with("Upgrade request required"), "{plain}");
    let nobody = ask(scratch, port, "POST /exec/d/nobody/c?command=cat&output=1").await;
    assert!(nobody.starts_with("HTTP/1.1 404"), "{nobody}");
}
