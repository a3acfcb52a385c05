use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_daemon::pki::{Authority, Profile};
use nakhoda_daemon::tls::{self, Files, KeyPair};
use nakhoda_rpc::transport::{Address, Connector};
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::resources_client::ResourcesClient;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Fronts, bind, serve};
use crate::testing::Server;
use crate::{grpc, rest};

mod floods;

const LIFE: Duration = Duration::from_secs(3600);

/// A server behind TLS, and what a client needs to reach it.
struct Secured {
    _server: Server,
    address: SocketAddr,
    authority: Authority,
}

async fn secured() -> Secured {
    nakhoda_daemon::install_crypto();
    let folder = std::env::temp_dir().join(format!("nakhoda-serve-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name);
    let authority = Authority::create("test", &path("ca.crt"), &path("ca.key")).expect("an authority");
    let loopback = [std::net::IpAddr::from([127, 0, 0, 1])];
    let (cert, key) = authority.issue(&Profile::server("apiserver", &["localhost"], &loopback), LIFE).expect("issued");
    std::fs::write(path("tls.crt"), cert).expect("written");
    std::fs::write(path("tls.key"), key).expect("written");
    let identity = Files::load(&path("tls.crt"), &path("tls.key")).expect("a key pair");
    let config = tls::server(identity, &path("ca.crt")).expect("a configuration");
    let mut server = Server::start().await;
    server.user = crate::user::User::system();
    let listeners = bind(&[SocketAddr::from(([127, 0, 0, 1], 0))]).await.expect("a port");
    let address = listeners[0].local_addr().expect("an address");
    serve(&server.tasks, listeners, &config, &fronts(&server));
    std::fs::remove_dir_all(&folder).expect("removed");
    Secured { _server: server, address, authority }
}

fn fronts(server: &Server) -> Fronts {
    let (pipeline, tasks, health) = (server.pipeline.clone(), server.tasks.clone(), Health::default());
    let front = grpc::Front { pipeline: pipeline.clone(), tasks: tasks.clone(), health: health.clone() };
    let rest = rest::Front {
        pipeline,
        tasks,
        health,
        metrics: Metrics::default(),
        issuer: None,
        openapi: Default::default(),
        advertised: "localhost:1".into(),
    };
    Fronts { grpc: grpc::routes(front).expect("descriptors").prepare().into_axum_router(), rest: rest::router(rest) }
}

impl Secured {
    fn client(&self, alpn: &[u8]) -> Arc<rustls::ClientConfig> {
        let roots = tls::roots_from_pem(self.authority.certificate().as_bytes(), Path::new("ca")).expect("a root");
        let (cert, key) = self.authority.issue(&Profile::client("admin", &["system:masters"]), LIFE).expect("issued");
        let pair = KeyPair { cert: cert.into(), key: key.into() };
        Arc::new(tls::client_with(roots, &pair, &[alpn]).expect("a configuration"))
    }
}

#[tokio::test]
async fn one_port_speaks_grpc_over_h2() {
    let secured = secured().await;
    let address = Address { host: "127.0.0.1".into(), port: secured.address.port() };
    let channel = Connector::new(vec![address], Arc::new(secured.client(b"h2")), None).expect("a connector").channel();
    let target = v1::Target {
        version: "v1".into(),
        resource: "namespaces".into(),
        name: "default".into(),
        ..v1::Target::default()
    };
    let request = v1::GetRequest { target: Some(target), ..v1::GetRequest::default() };
    let found = ResourcesClient::new(channel).get(request).await.expect("there").into_inner();
    assert!(String::from_utf8_lossy(&found.body).contains("\"kind\":\"Namespace\""));
}

#[tokio::test]
async fn the_same_port_speaks_rest_over_http1() {
    let secured = secured().await;
    let tcp = TcpStream::connect(secured.address).await.expect("a connection");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut stream = TlsConnector::from(secured.client(b"http/1.1")).connect(name, tcp).await.expect("a handshake");
    stream
        .write_all(b"GET /api/v1/namespaces/default HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("read");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"name\":\"default\""), "{answer}");
}
