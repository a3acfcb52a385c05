//! Who calls, and whether they may: a client certificate or a bearer token (TokenReview), then a
//! SubjectAccessReview about this node. What the API says is kept for a short while, as upstream does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, header};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use nakhoda_client::Client;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

const ALLOWED: Duration = Duration::from_secs(300);
const DENIED: Duration = Duration::from_secs(30);
const TOKEN: Duration = Duration::from_secs(120);
/// More answers than this are not kept.
const MOST: usize = 1000;

/// A caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct User {
    /// Name.
    pub name: String,
    /// UID, for service accounts.
    pub uid: String,
    /// Groups.
    pub groups: Vec<String>,
}

/// Whom the certificate of a connection names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer(pub Option<User>);

/// What a caller wants to do with this node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// For example `get`.
    pub verb: &'static str,
    /// Any of these is enough.
    pub subresources: Vec<&'static str>,
}

/// Answers, each until its time.
type Kept<K, V> = Arc<Mutex<HashMap<K, (Instant, V)>>>;

/// Judges callers. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    client: Client,
    node: String,
    tokens: Kept<[u8; 32], Option<User>>,
    decisions: Kept<(User, Attributes), bool>,
}

/// What a request brings to show who sends it.
struct Caller {
    certificate: Option<User>,
    token: Option<String>,
}

// === impl Caller ===

impl Caller {
    fn of(request: &Request) -> Self {
        let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).map(|token| token.trim().to_owned());
        Self { certificate: request.extensions().get::<Peer>().and_then(|peer| peer.0.clone()), token }
    }
}

// === impl Peer ===

impl Peer {
    /// Out of a certificate chain that was verified.
    #[must_use]
    pub fn of(chain: Option<&[CertificateDer<'_>]>) -> Self {
        Self(chain.and_then(<[_]>::first).and_then(|leaf| user(leaf)))
    }
}

fn user(leaf: &[u8]) -> Option<User> {
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let subject = certificate.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let groups = subject.iter_organization().filter_map(|o| o.as_str().ok()).map(str::to_owned).collect();
    Some(User { name, uid: String::new(), groups })
}

// === impl Auth ===

impl Auth {
    /// Asks over a client about one node.
    #[must_use]
    pub fn new(client: Client, node: String) -> Self {
        Self { client, node, tokens: Arc::default(), decisions: Arc::default() }
    }

    async fn authenticate(&self, caller: Caller) -> Result<Option<User>, nakhoda_client::Error> {
        match (caller.certificate, caller.token) {
            (Some(user), _) => Ok(Some(user)),
            (None, Some(token)) => self.review(&token).await,
            (None, None) => Ok(None),
        }
    }

    async fn review(&self, token: &str) -> Result<Option<User>, nakhoda_client::Error> {
        let key: [u8; 32] = Sha256::digest(token).into();
        if let Some((until, user)) = self.tokens.lock().get(&key)
            && *until > Instant::now()
        {
            return Ok(user.clone());
        }
        let spec = TokenReviewSpec { token: token.into(), ..TokenReviewSpec::default() };
        let review = TokenReview { spec, ..TokenReview::default() };
        let answer = self.client.all::<TokenReview>().create(&review).await?.status.unwrap_or_default();
        let known = answer.user.filter(|_| answer.authenticated == Some(true)).unwrap_or_default();
        let user = known.username.map(|name| User {
            name,
            uid: known.uid.unwrap_or_default(),
            groups: known.groups.unwrap_or_default(),
        });
        keep(&self.tokens, key, TOKEN, user.clone());
        Ok(user)
    }

    async fn authorize(&self, user: &User, wanted: &Attributes) -> Result<bool, nakhoda_client::Error> {
        let key = (user.clone(), wanted.clone());
        if let Some((until, allowed)) = self.decisions.lock().get(&key)
            && *until > Instant::now()
        {
            return Ok(*allowed);
        }
        let mut allowed = false;
        for subresource in &wanted.subresources {
            allowed = self.ask(user, wanted.verb, subresource).await?;
            if allowed {
                break;
            }
        }
        keep(&self.decisions, key, if allowed { ALLOWED } else { DENIED }, allowed);
        Ok(allowed)
    }

    async fn ask(&self, user: &User, verb: &str, subresource: &str) -> Result<bool, nakhoda_client::Error> {
        let attributes = ResourceAttributes {
            verb: Some(verb.into()),
            version: Some("v1".into()),
            resource: Some("nodes".into()),
            subresource: Some(subresource.into()),
            name: Some(self.node.clone()),
            ..ResourceAttributes::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: Some(user.name.clone()),
            uid: Some(user.uid.clone()).filter(|uid| !uid.is_empty()),
            groups: Some(user.groups.clone()),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let answer = self.client.all::<SubjectAccessReview>().create(&review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

fn keep<K: Eq + std::hash::Hash, V>(map: &Kept<K, V>, key: K, time: Duration, value: V) {
    let mut map = map.lock();
    let now = Instant::now();
    if map.len() >= MOST {
        map.retain(|_, (until, _)| *until > now);
    }
    if map.len() < MOST {
        map.insert(key, (now + time, value));
    }
}

/// Lets a request through, or says why not.
pub async fn check(State(auth): State<Auth>, request: Request, next: Next) -> Response {
    let grpc =
        request.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/grpc"));
    let (caller, wanted) = (Caller::of(&request), attributes(request.method(), request.uri().path()));
    match decide(&auth, caller, wanted).await {
        Ok(()) => next.run(request).await,
        Err((code, text)) if grpc => refuse(code, text),
        Err((code, text)) => (code, text).into_response(),
    }
}

async fn decide(auth: &Auth, caller: Caller, wanted: Attributes) -> Result<(), (StatusCode, String)> {
    let unreachable = |error: nakhoda_client::Error| {
        tracing::warn!(%error, "a caller cannot be judged");
        (StatusCode::INTERNAL_SERVER_ERROR, format!("Internal Error: {error}\n"))
    };
    let user = auth.authenticate(caller).await.map_err(unreachable)?;
    let user = user.ok_or_else(|| (StatusCode::UNAUTHORIZED, "Unauthorized".to_owned()))?;
    if auth.authorize(&user, &wanted).await.map_err(unreachable)? {
        return Ok(());
    }
    let text = format!(
        "Forbidden (user={}, verb={}, resource=nodes, subresource(s)=[{}])\n",
        user.name,
        wanted.verb,
        wanted.subresources.join(" ")
    );
    Err((StatusCode::FORBIDDEN, text))
}

fn refuse(code: StatusCode, text: String) -> Response {
    let code = match code {
        StatusCode::UNAUTHORIZED => tonic::Code::Unauthenticated,
        StatusCode::FORBIDDEN => tonic::Code::PermissionDenied,
        _ => tonic::Code::Unavailable,
    };
    tonic::Status::new(code, text.trim().to_owned()).into_http::<axum::body::Body>()
}

/// Paths that run something in a container or reach into it, by whatever method.
const SESSIONS: [&str; 4] = ["attach", "exec", "portForward", "run"];

/// What a request means, as upstream's kubelet reads paths; gRPC methods are read alike.
fn attributes(method: &Method, path: &str) -> Attributes {
    if let Some(call) = path.strip_prefix("/nakhoda.v1.Node/") {
        let (verb, subresource) = match call {
            "Logs" => ("get", "proxy"),
            "Stats" => ("get", "stats"),
            "Usage" => ("get", "metrics"),
            "MissingBlobs" | "ListImages" => ("get", "images"),
            "LoadImages" => ("create", "images"),
            "RemoveImage" => ("delete", "images"),
            _ => ("create", "proxy"),
        };
        return Attributes { verb, subresources: vec![subresource] };
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let verb = match *method {
        // a websocket opens with a GET, and runs something all the same
        _ if SESSIONS.contains(&first) => "create",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    };
    let subresources = match first {
        "stats" => vec!["stats"],
        "metrics" => vec!["metrics"],
        "logs" => vec!["log"],
        "checkpoint" => vec!["checkpoint"],
        "pods" | "runningpods" => vec!["pods", "proxy"],
        "healthz" => vec!["healthz", "proxy"],
        "configz" => vec!["configz", "proxy"],
        _ => vec!["proxy"],
    };
    Attributes { verb, subresources }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The class of the `nodes/proxy` findings of 2026 (KEP-2862): a right to read that ran commands by websocket.
    #[test]
    fn paths_mean_what_they_mean_upstream_but_sessions_always_create() {
        for (method, path, verb, subresources) in [
            (Method::GET, "/metrics/cadvisor", "get", vec!["metrics"]),
            (Method::GET, "/metrics/resource", "get", vec!["metrics"]),
            (Method::POST, "/nakhoda.v1.Node/Usage", "get", vec!["metrics"]),
            (Method::GET, "/stats/summary", "get", vec!["stats"]),
            (Method::GET, "/pods", "get", vec!["pods", "proxy"]),
            (Method::POST, "/exec/d/p/c", "create", vec!["proxy"]),
            (Method::GET, "/exec/d/p/c", "create", vec!["proxy"]),
            (Method::GET, "/attach/d/p/c", "create", vec!["proxy"]),
            (Method::GET, "//portForward/d/p", "create", vec!["proxy"]),
            (Method::PUT, "/run/d/p/c", "create", vec!["proxy"]),
            (Method::GET, "/containerLogs/d/p/c", "get", vec!["proxy"]),
            (Method::POST, "/nakhoda.v1.Node/LoadImages", "create", vec!["images"]),
        ] {
            assert_eq!(attributes(&method, path), Attributes { verb, subresources }, "{path}");
        }
    }

    #[test]
    fn a_certificate_names_its_user_and_groups() {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "me");
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "system:masters");
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let peer = Peer::of(Some(&[certificate.der().clone()]));
        let user = User { name: "me".into(), uid: String::new(), groups: vec!["system:masters".into()] };
        assert_eq!(peer, Peer(Some(user)));
        assert_eq!(Peer::of(None), Peer(None));
    }
}
