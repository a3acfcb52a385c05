//! Servers outside that this one asks by HTTP: issuers of tokens, and the webhooks that a kubeconfig names. One
//! connection for each exchange; answers are bounded in size and time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use nakhoda_daemon::tls::{self, TlsError};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::response::Duplex;

mod kubeconfig;
pub mod review;

pub use kubeconfig::ConfigError;

/// Whom to trust where nobody is named: the host's certificates.
const HOST_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Longer answers are refused.
const ANSWER_MAX: usize = 4 << 20;

/// Where a server is, and what is shown to it.
#[derive(Clone)]
pub struct Server {
    host: String,
    port: u16,
    path: String,
    token: Option<String>,
    /// None for plain HTTP.
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// What a server said.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub code: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

/// Why nothing was said.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("cannot be reached")]
    Io(#[from] std::io::Error),
    /// Not a server of HTTP.
    #[error("does not speak HTTP")]
    Http(#[from] hyper::Error),
    /// The path or a header cannot be sent.
    #[error("the request makes no sense")]
    Request(#[from] http::Error),
    /// Too late.
    #[error("context deadline exceeded")]
    Time,
    /// The answer broke off, or was too long.
    #[error("the answer cannot be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

// === impl Server ===

impl Server {
    /// The server of a kubeconfig's current context.
    pub fn from_kubeconfig(path: &Path) -> Result<Self, ConfigError> {
        kubeconfig::read(path)
    }

    /// The server of a URL; none if it is not one.
    #[must_use]
    pub fn at(url: &str, tls: Option<Arc<rustls::ClientConfig>>) -> Option<Self> {
        let uri: http::Uri = url.parse().ok()?;
        let port = match uri.scheme_str()? {
            "http" if tls.is_none() => 80,
            "https" if tls.is_some() => 443,
            _ => return None,
        };
        Some(Self {
            host: uri.host()?.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(port),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            token: None,
            tls,
        })
    }

    /// Asks for the document at the server's path.
    pub async fn get(&self, within: Duration) -> Result<Answer, Failure> {
        self.exchange(Method::GET, Bytes::new(), within).await
    }

    /// Sends JSON to the server's path.
    pub async fn post(&self, body: Bytes, within: Duration) -> Result<Answer, Failure> {
        self.exchange(Method::POST, body, within).await
    }

    async fn exchange(&self, method: Method, body: Bytes, within: Duration) -> Result<Answer, Failure> {
        tokio::time::timeout(within, self.asked(method, body)).await.unwrap_or(Err(Failure::Time))
    }

    async fn asked(&self, method: Method, body: Bytes) -> Result<Answer, Failure> {
        let stream = self.connect().await?;
        let mut request = http::Request::builder()
            .method(method)
            .uri(&*self.path)
            .header(HOST, self.authority())
            .header(USER_AGENT, "kube-apiserver")
            .header(ACCEPT, "application/json, */*");
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let (code, headers) = (response.status(), response.headers().clone());
            let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.map_err(Failure::Body)?;
            Ok(Answer { code, headers, body: body.to_bytes() })
        };
        // the connection lives as long as the exchange
        tokio::select! {
            answer = answer => answer,
            Err(error) = connection => Err(error.into()),
        }
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Duplex>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let Some(config) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(self.host.clone()).map_err(std::io::Error::other)?;
        Ok(Box::new(TlsConnector::from(config.clone()).connect(name, stream).await?))
    }

    fn authority(&self) -> String {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// How to speak TLS with servers whose certificates are of these CAs (PEM); the host's if none is named.
pub fn trust(pem: &[u8]) -> Result<Arc<rustls::ClientConfig>, TlsError> {
    let roots = if pem.is_empty() {
        tls::roots(HOST_ROOTS.as_ref())?
    } else {
        tls::roots_from_pem(pem, "certificateAuthority".as_ref())?
    };
    Ok(Arc::new(tls::client(roots, None, &[b"http/1.1"])))
}
