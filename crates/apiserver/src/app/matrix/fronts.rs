//! Asks by either front, and hears.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use nakhoda_api::Status;
use nakhoda_rpc::status::from_tonic;
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::resources_client::ResourcesClient;
use tower::ServiceExt;

use super::Verdict;
use super::callers::Caller;
use super::cells::Cell;
use super::house::House;
use crate::serve::{Fronts, Peer};

/// Both fronts.
pub(super) struct Doors(Fronts);

/// An answer as far as it matters here.
pub(super) struct Heard {
    pub(super) verdict: Verdict,
    pub(super) code: u16,
    /// Of a failure.
    pub(super) message: String,
}

// === impl Doors ===

impl Doors {
    pub(super) fn of(house: &House) -> Self {
        Self(house.fronts())
    }

    /// By a URL.
    pub(super) async fn rest(&self, caller: &Caller, cell: &Cell) -> Heard {
        let method = match cell.verb {
            "create" => "POST",
            "update" => "PUT",
            "patch" => "PATCH",
            "delete" | "deletecollection" => "DELETE",
            _ => "GET",
        };
        let request = Request::builder().method(method).uri(url(cell));
        let media = if cell.verb == "patch" { "application/merge-patch+json" } else { "application/json" };
        let body = if matches!(cell.verb, "create" | "update" | "patch") { "{}" } else { "" };
        self.visit(caller, request.header("content-type", media), body).await
    }

    /// A document.
    pub(super) async fn path(&self, caller: &Caller, method: &str, path: &str) -> Heard {
        self.visit(caller, Request::builder().method(method).uri(path), "").await
    }

    async fn visit(&self, caller: &Caller, mut request: http::request::Builder, body: &'static str) -> Heard {
        for (name, value) in &caller.headers {
            request = request.header(*name, value);
        }
        let request = request.extension(peer(caller)).body(Body::from(body)).expect("a request");
        let response: Response<Body> = self.0.rest.clone().oneshot(request).await.expect("infallible");
        let code = response.status().as_u16();
        if code < 400 {
            return Heard::of(None);
        }
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        let status = serde_json::from_slice(&body).unwrap_or_else(|_| Status { code, ..Status::no_such_path() });
        Heard::of(Some(status))
    }

    /// By a message.
    pub(super) async fn grpc(&self, caller: &Caller, cell: &Cell) -> Heard {
        Heard::of(self.send(caller, cell).await.err().map(|failure| from_tonic(&failure)))
    }

    async fn send(&self, caller: &Caller, cell: &Cell) -> Result<(), tonic::Status> {
        let mut client: ResourcesClient<Router> = ResourcesClient::new(self.0.grpc.clone());
        let (target, options) = (Some(target(cell)), Some(v1::WriteOptions { dry_run: true, ..Default::default() }));
        let selection = Some(v1::Selection { fields: cell.fields.into(), ..Default::default() });
        let object =
            |media: &str| Some(v1::Object { media_type: media.into(), body: "{}".into(), ..Default::default() });
        if cell.stream {
            let frames = futures::stream::iter([opening(cell)]);
            return client.connect(with(caller, frames)).await.map(drop);
        }
        match cell.verb {
            "get" => client.get(with(caller, v1::GetRequest { target, ..Default::default() })).await.map(drop),
            "list" => {
                client.list(with(caller, v1::ListRequest { target, selection, ..Default::default() })).await.map(drop)
            }
            "watch" => {
                client.watch(with(caller, v1::WatchRequest { target, selection, ..Default::default() })).await.map(drop)
            }
            "create" => {
                let object = object("application/json");
                client.create(with(caller, v1::CreateRequest { target, object, options })).await.map(drop)
            }
            "update" => {
                let object = object("application/json");
                client.update(with(caller, v1::UpdateRequest { target, object, options })).await.map(drop)
            }
            "patch" => {
                let patch = object("application/merge-patch+json");
                client.patch(with(caller, v1::PatchRequest { target, patch, options, force: false })).await.map(drop)
            }
            "delete" => {
                client.delete(with(caller, v1::DeleteRequest { target, options, ..Default::default() })).await.map(drop)
            }
            "deletecollection" => {
                let request = v1::DeleteCollectionRequest { target, selection, options, ..Default::default() };
                client.delete_collection(with(caller, request)).await.map(drop)
            }
            other => unreachable!("no method for {other}"),
        }
    }
}

fn with<T>(caller: &Caller, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.extensions_mut().insert(peer(caller));
    for (name, value) in &caller.headers {
        request.metadata_mut().append(*name, value.parse().expect("ASCII"));
    }
    request
}

fn peer(caller: &Caller) -> Peer {
    let certificates = caller.certificate.clone().unwrap_or_else(|| Arc::new([]));
    Peer { certificates, address: ([127, 0, 0, 1], 1).into() }
}

fn target(cell: &Cell) -> v1::Target {
    v1::Target {
        group: cell.group.clone(),
        version: cell.version.clone(),
        resource: cell.resource.into(),
        // who calls by gRPC says where a namespaced object lies, and nothing of others
        namespace: if cell.resource == "namespaces" { String::new() } else { cell.namespace.into() },
        name: cell.name.into(),
        subresource: cell.sub.into(),
    }
}

fn opening(cell: &Cell) -> v1::ConnectFrame {
    let method = match cell.verb {
        "create" => "post",
        "update" => "put",
        verb => verb,
    };
    let parameters = vec![v1::Parameter { name: "method".into(), value: method.into() }];
    let open = Some(v1::ConnectOpen { target: Some(target(cell)), parameters });
    v1::ConnectFrame { open, ..Default::default() }
}

fn url(cell: &Cell) -> String {
    let mut url = match cell.group.as_str() {
        "" => format!("/api/{}", cell.version),
        group => format!("/apis/{group}/{}", cell.version),
    };
    if !cell.namespace.is_empty() && cell.resource != "namespaces" {
        url.push_str(&format!("/namespaces/{}", cell.namespace));
    }
    for part in [cell.resource, cell.name, cell.sub].into_iter().filter(|part| !part.is_empty()) {
        url.push('/');
        url.push_str(part);
    }
    match cell.verb {
        "watch" => url.push_str("?watch=1&"),
        "list" | "get" => url.push('?'),
        _ => url.push_str("?dryRun=All&"),
    }
    if !cell.fields.is_empty() {
        url.push_str(&format!("fieldSelector={}", cell.fields.replace('=', "%3D").replace(',', "%2C")));
    }
    url
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}", self.verdict, self.code, self.message)
    }
}

// === impl Heard ===

impl Heard {
    fn of(failure: Option<Status>) -> Self {
        let Some(status) = failure else { return Self { verdict: Verdict::LetIn, code: 200, message: String::new() } };
        // admission refuses by 403, too, in other words
        let verdict = match status.code {
            401 => Verdict::Unknown,
            403 if status.message.contains("User \"") && status.message.contains("\" cannot ") => Verdict::Refused,
            _ => Verdict::LetIn,
        };
        Self { verdict, code: status.code, message: status.message }
    }
}
