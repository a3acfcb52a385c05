//! Calls to webhooks: HTTPS to an address, or to a Service, whose endpoint is reached as `proxy` reaches it, through
//! the kubelet of its node. One connection for each call.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use nakhoda_api::status::chain;
use nakhoda_api::{GroupVersionResource, Reason, Status};
use nakhoda_daemon::tls;
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::pipeline::Pipeline;
use crate::request::{Action, Connect, ResourceTarget};
use crate::response::{Answer, Duplex, Streaming};

/// Longer answers are refused.
const ANSWER_MAX: usize = 64 << 20;
/// Whom to trust where a webhook names nobody: the host's certificates.
const HOST_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where a webhook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub place: Place,
    /// Certificates to trust, in PEM; the host's if empty.
    pub bundle: Vec<u8>,
}

/// An address, or a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `https://host[:port]/path`.
    Url(String),
    /// A Service of the cluster.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
        /// What is asked for.
        path: String,
    },
}

// === impl Webhook ===

impl Webhook {
    /// Posts JSON and reads the answer; fails with a text that tells the address.
    pub async fn post(
        &self,
        pipeline: &Pipeline,
        query: &str,
        body: &Value,
        within: Duration,
    ) -> Result<Value, String> {
        let url = format!("{}{query}", self.url());
        let told = |why: String| format!("Post {url:?}: {why}");
        match tokio::time::timeout(within, self.exchange(pipeline, &url, body)).await {
            Ok(answer) => answer.map_err(told),
            Err(_) => Err(told("context deadline exceeded".into())),
        }
    }

    /// The address, as failures tell it.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.place {
            Place::Url(url) => url.clone(),
            Place::Service { namespace, name, port, path } => {
                format!("https://{name}.{namespace}.svc:{port}/{}", path.trim_start_matches('/'))
            }
        }
    }

    async fn exchange(&self, pipeline: &Pipeline, url: &str, body: &Value) -> Result<Value, String> {
        let rest = url.strip_prefix("https://").ok_or("the address is not https")?;
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| "the port is no number")?),
            _ => (authority, 443),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = self.connect(pipeline, host, port).await?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let tls = TlsConnector::from(Arc::new(self.tls()?));
        let stream = tls.connect(name, stream).await.map_err(|error| chain(&error))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, authority)
            .header(USER_AGENT, "kube-apiserver-admission")
            .header(ACCEPT, "application/json, */*")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| chain(&error))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| chain(&error))?;
            let code = response.status();
            let bytes = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
            Ok::<_, String>((code, bytes.map_err(|error| error.to_string())?.to_bytes()))
        };
        // the connection lives as long as the exchange
        let (code, bytes) = tokio::select! {
            answer = answer => answer?,
            Err(error) = connection => return Err(chain(&error)),
        };
        if !code.is_success() {
            let text = String::from_utf8_lossy(&bytes);
            return Err(format!("unexpected response: {code}: {}", text.chars().take(256).collect::<String>()));
        }
        serde_json::from_slice(&bytes).map_err(|error| format!("the answer is no JSON: {error}"))
    }

    async fn connect(&self, pipeline: &Pipeline, host: &str, port: u16) -> Result<Box<dyn Duplex>, String> {
        let Place::Service { namespace, name, port, .. } = &self.place else {
            let stream = TcpStream::connect((host, port)).await;
            return stream
                .map(|stream| Box::new(stream) as Box<dyn Duplex>)
                .map_err(|error| format!("dial tcp {host}:{port}: {error}"));
        };
        dial_service(pipeline, namespace, name, *port).await.map_err(|status| status.message)
    }

    fn tls(&self) -> Result<rustls::ClientConfig, String> {
        let (pem, origin) = match self.bundle.as_slice() {
            [] => (std::fs::read(HOST_ROOTS).map_err(|error| format!("{HOST_ROOTS}: {error}"))?, HOST_ROOTS),
            pem => (pem.to_vec(), "caBundle"),
        };
        let roots = tls::roots_from_pem(&pem, origin.as_ref()).map_err(|error| chain(&error))?;
        Ok(tls::client(roots, None, &[b"http/1.1"]))
    }
}

/// A stream to a ready endpoint of a Service, as `proxy` opens it.
pub async fn dial_service(
    pipeline: &Pipeline,
    namespace: &str,
    name: &str,
    port: u16,
) -> Result<Box<dyn Duplex>, Status> {
    let target = ResourceTarget {
        gvr: GroupVersionResource::new("", "v1", "services"),
        namespace: namespace.to_owned(),
        name: format!("https:{name}:{port}"),
        subresource: "proxy".into(),
        ..ResourceTarget::default()
    };
    let connect = Connect { method: "post".into(), ..Connect::default() };
    match Box::pin(pipeline.internal(target, Action::Connect(connect))).await?.answer {
        Answer::Stream(Streaming::Proxy(target)) => target.dial.dial(target.port).await,
        _ => Err(Status::failure(500, Reason::InternalError, "the service cannot be dialled")),
    }
}

/// Certificates as objects carry them: base64 of PEM.
#[must_use]
pub fn bundle(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}
