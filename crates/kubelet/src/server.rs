//! The kubelet's port: one TLS listener for the gRPC service `Node` and upstream's HTTPS paths, behind
//! one authentication and authorization.
//!
//! Absent: the streaming HTTPS paths (`/exec`, `/attach`, `/portForward`) and `/logs`, which answer 501;
//! the API server streams through gRPC.

pub mod auth;
pub mod exec;
mod files;
pub mod forward;
pub mod images;
pub mod logs;
pub mod node;
pub mod pages;
mod resource;
pub mod stats;
mod streams;
mod usage;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use nakhoda_client::Client;
use nakhoda_daemon::Tasks;
use nakhoda_rpc::v1::node_server::NodeServer;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::host::Host;
use crate::pod::manager::Manager;
use auth::{Auth, Peer};
use node::NodeService;

/// A connection that has not said hello by then is closed.
const HELLO: std::time::Duration = std::time::Duration::from_secs(10);

/// What the server answers from. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    pub(crate) host: Arc<Host>,
    pub(crate) manager: Manager,
    auth: Auth,
}

/// Takes the port.
pub async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from(([0, 0, 0, 0], port));
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on port {port}; is another kubelet running?"))
}

// === impl Server ===

impl Server {
    /// Answers for a node; callers are judged by the API.
    #[must_use]
    pub fn new(host: Arc<Host>, manager: Manager, client: Client) -> Self {
        let auth = Auth::new(client, host.name.clone());
        Self { host, manager, auth }
    }

    /// Answers until the process stops.
    pub fn run(self, tasks: &Tasks, listener: TcpListener, tls: Arc<ServerConfig>) {
        let router = self.router();
        let acceptor = TlsAcceptor::from(tls);
        let connections = tasks.clone();
        tasks.spawn("server", async move {
            loop {
                match listener.accept().await {
                    Ok((stream, from)) => {
                        let serve = converse(stream, acceptor.clone(), router.clone());
                        connections.spawn(format!("connection of {from}"), serve);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "no connection accepted");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        });
    }

    /// Everything that is answered. Outside in: authentication and authorization, then paths.
    fn router(&self) -> Router {
        let service = NodeServer::new(NodeService::new(self.clone()))
            .max_decoding_message_size(nakhoda_rpc::MAX_MESSAGE)
            .max_encoding_message_size(nakhoda_rpc::MAX_MESSAGE);
        let grpc = tonic::service::Routes::new(service).into_axum_router().reset_fallback();
        let auth = axum::middleware::from_fn_with_state(self.auth.clone(), auth::check);
        pages::router(self.clone()).merge(grpc).fallback(pages::absent).layer(auth)
    }
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no nodelay");
    }
    let tls = match tokio::time::timeout(HELLO, acceptor.accept(stream)).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => return tracing::debug!("no TLS handshake in time"),
    };
    let peer = Peer::of(tls.get_ref().1.peer_certificates());
    let service = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer.clone());
        request.map(axum::body::Body::new)
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(tls), TowerToHyperService::new(service));
    if let Err(error) = connection.await {
        tracing::debug!(error, "connection ended");
    }
}
