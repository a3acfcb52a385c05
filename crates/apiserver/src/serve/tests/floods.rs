//! The class of CVE-2019-9512 and CVE-2019-9514 (floods of pings and resets), CVE-2023-44487 (streams that are opened
//! only to be reset) and CVE-2023-45288 (headers without end): frames as no client writes them, on a real connection.

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET https://x/`.
const GET: &[u8] = &[0x82, 0x87, 0x84, 0x41, 1, b'x'];
const NO_ERROR: u32 = 0;
const ENHANCE_YOUR_CALM: u32 = 11;
const MAX_STREAMS: [u8; 2] = [0, 3];

type Tls = tokio_rustls::client::TlsStream<TcpStream>;

struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

async fn opened(secured: &Secured, config: Arc<rustls::ClientConfig>) -> Tls {
    let tcp = TcpStream::connect(secured.address).await.expect("a connection");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut stream = TlsConnector::from(config).connect(name, tcp).await.expect("a handshake");
    stream.write_all(PREFACE).await.expect("written");
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.expect("written");
    stream
}

/// The next frame; none once the connection is closed.
async fn next(stream: &mut Tls) -> Option<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
    stream.read_exact(&mut payload).await.ok()?;
    Some(Frame { kind: head[3], stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload })
}

/// Why the server ends the connection; none if it just does.
async fn farewell(stream: &mut Tls) -> Option<u32> {
    loop {
        let frame = next(stream).await?;
        if frame.kind == GOAWAY {
            return Some(u32::from_be_bytes(frame.payload[4..8].try_into().expect("four bytes")));
        }
    }
}

/// What a client shows that has no certificate.
fn nobody(secured: &Secured) -> Arc<rustls::ClientConfig> {
    let roots = tls::roots_from_pem(secured.authority.certificate().as_bytes(), Path::new("ca")).expect("a root");
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

async fn streams_granted(stream: &mut Tls) -> u32 {
    loop {
        let frame = next(stream).await.expect("settings");
        if frame.kind == SETTINGS && !frame.payload.is_empty() {
            let mut settings = frame.payload.chunks(6);
            let found = settings.find(|setting| setting[..2] == MAX_STREAMS).expect("a bound");
            return u32::from_be_bytes(found[2..6].try_into().expect("four bytes"));
        }
    }
}

#[tokio::test]
async fn streams_that_are_only_reset_end_the_connection() {
    let secured = secured().await;
    let mut stream = opened(&secured, secured.client(b"h2")).await;
    let mut flood = Vec::new();
    for number in (1..2000).step_by(2) {
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, number, GET));
        flood.extend(frame(RESET, 0, number, &8_u32.to_be_bytes()));
    }
    // the server may hang up before it has read all of it
    drop(stream.write_all(&flood).await);
    assert_eq!(farewell(&mut stream).await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn headers_without_end_end_the_connection() {
    let secured = secured().await;
    let mut stream = opened(&secured, secured.client(b"h2")).await;
    stream.write_all(&frame(HEADERS, END_STREAM, 1, GET)).await.expect("written");
    // `a: xxx…`, 16,000 bytes long
    let mut header = vec![0x00, 1, b'a', 0x7f, 0x81, 0x7c];
    header.extend(vec![b'x'; 16_000]);
    let piece = frame(CONTINUATION, 0, 1, &header);
    for _ in 0..10_000 {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
    }
    panic!("160 MB of headers were read");
}

#[tokio::test]
async fn who_is_nobody_is_answered_once_and_has_fewer_streams() {
    let secured = secured().await;
    let mut stream = opened(&secured, nobody(&secured)).await;
    assert_eq!(streams_granted(&mut stream).await, 100);
    stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, GET)).await.expect("written");
    assert_eq!(farewell(&mut stream).await, Some(NO_ERROR));
    let mut known = opened(&secured, secured.client(b"h2")).await;
    assert_eq!(streams_granted(&mut known).await, 2000);
    for number in [1, 3] {
        known.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, number, GET)).await.expect("written");
        while next(&mut known).await.is_some_and(|frame| frame.kind != HEADERS || frame.stream != number) {}
    }
}
