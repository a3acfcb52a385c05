//! A plain client of the REST API over h2, one connection for each, so that any Kubernetes API server can be
//! measured by the same program.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use nakhoda_client::Config;

pub(crate) const JSON: &str = "application/json";
pub(crate) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

const MERGE_PATCH: &str = "application/merge-patch+json";

const WINDOW: u32 = 4 << 20;

/// One connection.
#[derive(Clone)]
pub(crate) struct Connection {
    sender: http2::SendRequest<Full<Bytes>>,
    host: String,
    authorization: Option<HeaderValue>,
}

// === impl Connection ===

impl Connection {
    /// A connection of its own to the server of a kubeconfig.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let stream = config.connector().connect().await.context("no connection")?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // ends with the last sender
        drop(tokio::spawn(connection));
        let address = config.addresses().first().context("a server")?;
        let authorization = config.bearer().authorization();
        let authorization = authorization.map(|value| HeaderValue::from_bytes(value.as_bytes())).transpose()?;
        Ok(Self { sender, host: format!("{}:{}", address.host, address.port), authorization })
    }

    /// The body of a GET.
    pub(crate) async fn get(&self, path: &str, accept: &'static str) -> Result<Bytes> {
        whole(self.stream(path, accept).await?).await
    }

    /// Makes an object.
    pub(crate) async fn post(&self, path: &str, body: String) -> Result<Bytes> {
        let response = self.send(Method::POST, path, JSON, body.into()).await?;
        whole(response).await
    }

    /// Makes an object unless it is there.
    pub(crate) async fn ensure(&self, path: &str, body: String) -> Result<()> {
        let response = self.send(Method::POST, path, JSON, body.into()).await?;
        ensure!(
            matches!(response.status(), StatusCode::CREATED | StatusCode::CONFLICT),
            "{path}: {}",
            response.status()
        );
        Ok(())
    }

    /// Changes an object.
    pub(crate) async fn merge(&self, path: &str, body: String) -> Result<()> {
        let response = self.send_as(Method::PATCH, path, JSON, MERGE_PATCH, body.into()).await?;
        whole(response).await.map(drop)
    }

    /// Removes what is at a path, at once.
    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        let response =
            self.send(Method::DELETE, path, JSON, Bytes::from_static(br#"{"gracePeriodSeconds":0}"#)).await?;
        whole(response).await.map(drop)
    }

    /// A GET whose body is read as it comes.
    pub(crate) async fn stream(&self, path: &str, accept: &'static str) -> Result<http::Response<Incoming>> {
        let response = self.send(Method::GET, path, accept, Bytes::new()).await?;
        ensure!(response.status().is_success(), "{path}: {}", response.status());
        Ok(response)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
        body: Bytes,
    ) -> Result<http::Response<Incoming>> {
        self.send_as(method, path, accept, JSON, body).await
    }

    async fn send_as(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
        kind: &'static str,
        body: Bytes,
    ) -> Result<http::Response<Incoming>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.host))
            .header(HOST, &self.host)
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, kind)
            .body(Full::new(body))?;
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let mut sender = self.sender.clone();
        sender.ready().await?;
        Ok(sender.send_request(request).await?)
    }
}

async fn whole(response: http::Response<Incoming>) -> Result<Bytes> {
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
    Ok(body)
}
