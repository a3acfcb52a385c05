//! A server behind TLS on a port of this process: a webhook, or whatever a router says.

use std::net::SocketAddr;
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::pki::{Authority, Profile};
use nakhoda_daemon::tls::{self, Files};
use serde_json::Value;

use crate::serve::{Fronts, bind, serve};

/// Where it is, and whom to trust there, as objects carry it.
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) bundle: String,
}

/// Answers every review by what `answer` makes of it.
pub(crate) async fn webhook(tasks: &Tasks, answer: fn(Value) -> Value) -> Hook {
    let review = move |Json(review): Json<Value>| async move { Json(answer(review)) };
    https(tasks, Router::new().route("/", post(review))).await
}

/// Serves a router.
pub(crate) async fn https(tasks: &Tasks, router: Router) -> Hook {
    nakhoda_daemon::install_crypto();
    let folder = std::env::temp_dir().join(format!("nakhoda-webhook-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name);
    let authority = Authority::create("test", &path("ca.crt"), &path("ca.key")).expect("an authority");
    let loopback = [std::net::IpAddr::from([127, 0, 0, 1])];
    let profile = Profile::server("webhook", &["localhost"], &loopback);
    let (cert, key) = authority.issue(&profile, Duration::from_secs(3600)).expect("issued");
    std::fs::write(path("tls.crt"), cert).expect("written");
    std::fs::write(path("tls.key"), key).expect("written");
    let identity = Files::load(&path("tls.crt"), &path("tls.key")).expect("a key pair");
    let config = tls::server(identity, &path("ca.crt")).expect("a configuration");
    let listeners = bind(&[SocketAddr::from(([127, 0, 0, 1], 0))]).await.expect("a port");
    let address = listeners[0].local_addr().expect("an address");
    serve(tasks, listeners, &config, &Fronts { grpc: Router::new(), rest: router });
    std::fs::remove_dir_all(&folder).expect("removed");
    let bundle = base64::engine::general_purpose::STANDARD.encode(authority.certificate());
    Hook { url: format!("https://localhost:{}/", address.port()), bundle }
}

/// A file that names a webhook as kubeconfigs do; who asks for it removes it.
pub(crate) fn kubeconfig(hook: &Hook) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("nakhoda-kubeconfig-{}", uuid::Uuid::new_v4()));
    let file = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "users": [{"name": "u", "user": {}}],
        "clusters": [{"name": "c", "cluster": {"server": hook.url, "certificate-authority-data": hook.bundle}}],
    });
    std::fs::write(&path, file.to_string()).expect("written");
    path
}
