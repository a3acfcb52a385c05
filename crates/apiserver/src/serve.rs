//! The one TLS port: gRPC, REST, websockets and upgrades by ALPN `h2` and `http/1.1`, on several
//! addresses. What is gRPC goes to one router, all else to the other; the peer and its certificates go
//! along as an extension.
//!
//! On stop no connection is taken any more, and those that are open finish what they are answering.
//!
//! What a connection may cost is bounded: streams at a time, streams that are opened only to be reset, headers. Who
//! shows no certificate gets fewer streams, and who is nobody's caller is answered once and then has to connect anew
//! (upstream's `UnauthenticatedHTTP2DOSMitigation`).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use nakhoda_daemon::Tasks;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The client's certificates, verified, leaf first.
    pub certificates: Arc<[CertificateDer<'static>]>,
    /// Where it is.
    pub address: SocketAddr,
}

/// The two fronts.
#[derive(Clone)]
pub struct Fronts {
    /// Takes `application/grpc`.
    pub grpc: Router,
    /// Takes everything else.
    pub rest: Router,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// Which.
    pub address: SocketAddr,
    /// Why not.
    #[source]
    pub source: io::Error,
}

const HANDSHAKE: Duration = Duration::from_secs(10);
/// Dead peers are found within 45 s.
const PING: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);
/// Watches are streams too: upstream's 100 is little for a daemon that follows everything.
const STREAMS: u32 = 2000;
/// Of who shows no certificate.
const STREAMS_OF_OTHERS: u32 = 100;
/// Streams that may be reset before anybody has looked at them; more end the connection (CVE-2023-44487).
const RESETS: usize = 20;
/// Streams that this side may have to reset for what is wrong with them.
const FAULTS: usize = 256;
/// Bytes of one request's headers.
const HEADERS: u32 = 64 << 10;
const WINDOW: u32 = 1 << 20;
/// How long to wait when no connection can be taken, for want of file descriptors say.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens on every address.
pub async fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::new();
    for &address in addresses {
        listeners.push(TcpListener::bind(address).await.map_err(|source| BindError { address, source })?);
    }
    Ok(listeners)
}

/// Takes connections until the process stops.
pub fn serve(tasks: &Tasks, listeners: Vec<TcpListener>, tls: &Arc<ServerConfig>, fronts: &Fronts) {
    for listener in listeners {
        let name = listener.local_addr().map_or_else(|_| "listener".to_owned(), |a| format!("listener {a}"));
        let acceptor = TlsAcceptor::from(tls.clone());
        tasks.spawn(name, accept(tasks.clone(), listener, acceptor, fronts.clone()));
    }
}

async fn accept(tasks: Tasks, listener: TcpListener, acceptor: TlsAcceptor, fronts: Fronts) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let connection = connection(tasks.clone(), stream, address, acceptor.clone(), fronts.clone());
                tasks.spawn_draining("connection", connection);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(tasks: Tasks, stream: TcpStream, address: SocketAddr, acceptor: TlsAcceptor, fronts: Fronts) {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "set_nodelay");
    }
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%address, %error, "TLS handshake error"),
        Err(_) => return tracing::debug!(%address, "TLS handshake did not finish in time"),
    };
    let certificates = stream.get_ref().1.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
    let peer = Peer { certificates: certificates.into_iter().map(CertificateDer::into_owned).collect(), address };
    let builder = builder(if peer.certificates.is_empty() { STREAMS_OF_OTHERS } else { STREAMS });
    let strangers = Arc::new(Notify::new());
    let told = strangers.clone();
    let service =
        tower::service_fn(move |request: Request<Incoming>| fronts.clone().answer(peer.clone(), request, told.clone()));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = strangers.notified() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = tasks.stopping() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, error, "connection");
    }
}

fn builder(streams: u32) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(streams)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(FAULTS)
        .max_header_list_size(HEADERS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(4 * WINDOW);
    builder
}

// === impl Fronts ===

impl Fronts {
    /// Answers, and tells if the caller turned out to be nobody.
    async fn answer(
        self,
        peer: Peer,
        request: Request<Incoming>,
        strangers: Arc<Notify>,
    ) -> Result<http::Response<Body>, std::convert::Infallible> {
        let multiplexed = request.version() == Version::HTTP_2;
        let shows_nothing = peer.certificates.is_empty() && !request.headers().contains_key(AUTHORIZATION);
        let response = self.route(peer, request).await?;
        if multiplexed && (shows_nothing || is_refused(&response)) {
            strangers.notify_one();
        }
        Ok(response)
    }

    async fn route(
        self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> Result<http::Response<Body>, std::convert::Infallible> {
        let router = if is_grpc(request.headers()) { self.grpc } else { self.rest };
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.oneshot(request).await
    }
}

/// Whether the caller's credentials were not believed.
fn is_refused(response: &http::Response<Body>) -> bool {
    let code = response.headers().get("grpc-status").map(|code| code.as_bytes());
    response.status() == StatusCode::UNAUTHORIZED || code == Some(b"16")
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

#[cfg(test)]
mod tests;
