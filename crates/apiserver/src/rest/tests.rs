//! The front as clients see it: HTTP in, HTTP out, on a whole server in the process.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use serde_json::Value;
use tower::ServiceExt;

use super::{Front, router};
use crate::discovery::openapi::Documents;
use crate::testing::Server;

mod apply;
mod bad_input;
mod documents;
mod forms;
mod streams;
mod tricks;
mod writes;

struct Rest {
    /// Lives as long as the router.
    _server: Server,
    router: Router,
}

struct Answered {
    code: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

// === impl Rest ===

impl Rest {
    async fn start() -> Self {
        Self::over(Server::start().await)
    }

    fn over(server: Server) -> Self {
        let router = router(Front {
            pipeline: server.pipeline.clone(),
            tasks: server.tasks.clone(),
            health: Health::default(),
            metrics: Metrics::default(),
            issuer: None,
            openapi: Documents::default(),
            advertised: "10.0.0.1:6443".into(),
        });
        Self { _server: server, router }
    }

    async fn open(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let (parts, body) = self.open(method, path, headers, body).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Answered { code: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, accept: &str) -> Answered {
        self.send(Method::GET, path, &[("accept", accept)], "").await
    }

    async fn post(&self, path: &str, body: &str) -> Answered {
        self.send(Method::POST, path, &[("content-type", "application/json")], body).await
    }
}

// === impl Answered ===

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}
