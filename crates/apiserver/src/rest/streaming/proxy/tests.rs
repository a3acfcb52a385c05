//! The class of CVE-2018-1002105 (a tunnel to the backend that is left open by a failed upgrade) and CVE-2020-8559
//! (a backend that sends the server elsewhere): what a client says after a refusal is never the backend's, and no
//! `Location` is followed.

use std::sync::Arc;

use futures::future::BoxFuture;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::response::Dial;
use crate::testing::Server;

#[test]
fn the_bare_proxy_path_leads_to_its_directory() {
    let response = to_directory(&Uri::from_static("/api/v1/nodes/n/proxy?a=b"));
    assert_eq!(response.status(), 301);
    assert_eq!(response.headers()[LOCATION], "/api/v1/nodes/n/proxy/?a=b");
    assert_eq!((bare("?a=b"), bare("/x?a=b")), ("", "/x"));
}

#[test]
fn credentials_and_headers_of_the_connection_stay_here() {
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(KEEP_ALIVE, HeaderValue::from_static("timeout=5"));
    headers.insert("x-other", HeaderValue::from_static("1"));
    strip(&mut headers);
    assert_eq!(headers.len(), 1);
}

/// Notes what each connection says, and always answers the same.
struct Backend {
    answer: &'static str,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Dial for Backend {
    fn dial(&self, _: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let (answer, heard) = (self.answer, self.heard.clone());
        let number = heard.lock().len();
        heard.lock().push(String::new());
        tokio::spawn(async move {
            let (mut buffer, mut answered) = (vec![0; 1 << 16], false);
            while let Ok(count @ 1..) = theirs.read(&mut buffer).await {
                heard.lock()[number].push_str(&String::from_utf8_lossy(&buffer[..count]));
                if !std::mem::replace(&mut answered, true) {
                    theirs.write_all(answer.as_bytes()).await.expect("written");
                }
            }
        });
        Box::pin(async move { Ok(Box::new(ours) as Box<dyn Duplex>) })
    }
}

/// What the client hears of a server that hands `/proxied` on, and what the backend does, connection by connection.
async fn exchange(answer: &'static str, said: &str) -> (String, Vec<String>) {
    let (server, heard) = (Server::start().await, Arc::new(Mutex::new(Vec::new())));
    let front = Arc::new(Front {
        pipeline: server.pipeline.clone(),
        tasks: server.tasks.clone(),
        health: Health::default(),
        metrics: Metrics::default(),
        issuer: None,
        openapi: Default::default(),
        advertised: String::new(),
    });
    let backend: Arc<dyn Dial> = Arc::new(Backend { answer, heard: heard.clone() });
    let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let (front, dial) = (front.clone(), backend.clone());
        async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path().to_owned();
            if path != "/proxied" {
                return Ok::<_, std::convert::Infallible>(Response::new(Body::from("answered by the server itself")));
            }
            let target = ProxyTarget { dial, port: 80, tls: false, path, prefix: "/proxied".into() };
            Ok(serve(&front, parts, Body::new(body), target).await.expect("an answer"))
        }
    });
    let (mut client, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move {
        let builder = Builder::new(TokioExecutor::new());
        let done = builder.serve_connection_with_upgrades(TokioIo::new(far), TowerToHyperService::new(service)).await;
        drop(done);
    });
    client.write_all(said.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.expect("read");
    let heard = heard.lock().clone();
    (String::from_utf8_lossy(&answer).into_owned(), heard)
}

const UPGRADE_REQUEST: &str = "GET /proxied HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const LATER: &str = "GET /secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_refused_upgrade_leaves_no_way_to_the_backend() {
    let refusal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno";
    let (answer, backend) = exchange(refusal, &format!("{UPGRADE_REQUEST}{LATER}")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("answered by the server itself"), "{answer}");
    assert!(backend.iter().all(|heard| !heard.contains("/secret")), "{backend:?}");
}

#[tokio::test]
async fn a_backend_sends_the_server_nowhere() {
    let elsewhere =
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n";
    for first in [UPGRADE_REQUEST, "GET /proxied HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n"] {
        let (answer, backend) = exchange(elsewhere, &format!("{first}{LATER}")).await;
        assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
        assert_eq!(backend.len(), 1, "{backend:?}");
        assert_eq!(backend[0].matches("HTTP/1.1").count(), 1, "{backend:?}");
        assert!(!backend[0].to_lowercase().contains("authorization"), "{backend:?}");
    }
}
