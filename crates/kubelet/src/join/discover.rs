//! Finding out whom to trust. Before a machine trusts anybody it reads `kube-public/cluster-info` from a
//! server that it cannot verify, and believes it only if the token has signed it and the authority in it has
//! the hash that was given: so nobody in between can pass off another cluster.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_client::config::kubeconfig::Kubeconfig;
use nakhoda_daemon::pki::join::{Token, authority_hashes};
use nakhoda_daemon::tls::unchecked;
use nakhoda_rpc::transport::Address;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

const PATH: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
/// For one server.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a token that was just made may take to sign what the cluster says, and how often that is looked at.
const SIGNING: Duration = Duration::from_millis(1500);
const LOOK: Duration = Duration::from_millis(200);
/// How far clocks may differ: so much earlier than it was made a certificate is valid.
const DIFFERENCE: SignedDuration = SignedDuration::from_mins(5);
const LONGEST: usize = 1 << 20;

/// The authority of the cluster as PEM, from the first server that answers.
pub(super) async fn authority(servers: &[String], token: &Token, hash: &str) -> anyhow::Result<String> {
    let mut last = anyhow::anyhow!("no server is named");
    for server in servers {
        match tokio::time::timeout(PATIENCE, cluster_info(server)).await {
            Ok(Ok(said)) => {
                if let Some(date) = said.date {
                    on_time(date, Timestamp::now())?;
                }
                return trusted(&signed(server, said, token).await?, token, hash);
            }
            Ok(Err(error)) => last = error.context(format!("--apiserver {server} cannot be asked")),
            Err(_) => {
                last = anyhow::anyhow!("--apiserver {server} does not answer; is the address right and the way open?")
            }
        }
    }
    Err(last)
}

/// What a server says of its cluster, and when it said so.
struct Said {
    map: ConfigMap,
    date: Option<Timestamp>,
}

/// Waits a little for the token's signature, if it is not there yet.
async fn signed(server: &str, said: Said, token: &Token) -> anyhow::Result<ConfigMap> {
    let (mut map, end) = (said.map, Instant::now() + SIGNING);
    while data(&map, &signature_key(token)).is_none() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        map = cluster_info(server).await?.map;
    }
    Ok(map)
}

/// Certificates are believed by this machine's clock: a wrong one must be told as what it is.
fn on_time(theirs: Timestamp, ours: Timestamp) -> anyhow::Result<()> {
    let ahead = ours.duration_since(theirs);
    if ahead.abs() > DIFFERENCE {
        let side = if ahead.is_positive() { "ahead of" } else { "behind" };
        let minutes = ahead.abs().as_mins();
        bail!("the clock of this machine is {minutes} minutes {side} the cluster's: set it (timedatectl set-ntp true)");
    }
    Ok(())
}

fn signature_key(token: &Token) -> String {
    format!("jws-kubeconfig-{}", token.id)
}

fn data<'a>(map: &'a ConfigMap, key: &str) -> Option<&'a str> {
    map.data.as_ref().and_then(|data| data.get(key)).map(String::as_str)
}

/// The authority in what a stranger says, if it is proven.
fn trusted(map: &ConfigMap, token: &Token, hash: &str) -> anyhow::Result<String> {
    let kubeconfig = data(map, "kubeconfig").context("cluster-info of the cluster names no authority")?;
    let signature = data(map, &signature_key(token));
    let signature = signature.context("the cluster does not know this token, or its time is over; ctl token create")?;
    token.verify(kubeconfig, signature).context("--token: its secret is wrong")?;
    let kubeconfig = Kubeconfig::parse(kubeconfig, Path::new("cluster-info"))
        .context("cluster-info of the cluster cannot be read")?;
    let encoded = kubeconfig.clusters.first().and_then(|c| c.value.certificate_authority_data.as_deref());
    let pem = STANDARD.decode(encoded.context("cluster-info names no authority")?).context("cluster-info")?;
    let pem = String::from_utf8(pem).context("cluster-info")?;
    if !authority_hashes(&pem)?.iter().any(|found| found == hash) {
        bail!("--ca-hash: the authority of this cluster is another; was the line made by this cluster?");
    }
    Ok(pem)
}

async fn cluster_info(server: &str) -> anyhow::Result<Said> {
    let address = Address::parse(server)?;
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    let name = ServerName::try_from(address.host.clone())?;
    let stream = TlsConnector::from(Arc::new(unchecked::builder().with_no_client_auth())).connect(name, stream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(PATH).header("host", &address.host).header("accept", "application/json");
    let ask = async {
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let status = response.status();
        let date = response.headers().get("date").and_then(|date| rfc2822::parse(date.to_str().ok()?).ok());
        let body = Limited::new(response.into_body(), LONGEST).collect().await.map_err(|e| anyhow::anyhow!(e))?;
        match status {
            StatusCode::OK => {
                let date = date.map(|date| date.timestamp());
                Ok(Said { map: serde_json::from_slice(&body.to_bytes())?, date })
            }
            StatusCode::NOT_FOUND => bail!("it tells nobody how to join it (no ConfigMap kube-public/cluster-info)"),
            other => bail!("it answers {other}"),
        }
    };
    tokio::select! {
        answer = ask => answer,
        ended = connection => {
            ended?;
            bail!("it closed the connection")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What a cluster whose authority is this says, signed by a token.
    fn info(pem: &str, token: &Token) -> ConfigMap {
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: \"\"\n  cluster:\n    server: https://h:1\n    certificate-authority-data: {}\n",
            STANDARD.encode(pem)
        );
        let signature = (format!("jws-kubeconfig-{}", token.id), token.sign(&kubeconfig));
        let data = BTreeMap::from([("kubeconfig".to_owned(), kubeconfig), signature]);
        ConfigMap { data: Some(data), ..ConfigMap::default() }
    }

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().expect("a key");
        rcgen::CertificateParams::default().self_signed(&key).expect("signed").pem()
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_side() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        assert!(on_time(at(1000), at(1000 + 300)).is_ok() && on_time(at(1000), at(1000 - 300)).is_ok());
        let told = |ours| on_time(at(10_000), at(ours)).expect_err("off").to_string();
        assert!(
            told(10_000 + 3600).contains("60 minutes ahead of") && told(10_000 - 3600).contains("60 minutes behind")
        );
    }

    #[test]
    fn what_a_stranger_says_is_believed_only_with_signature_and_hash() {
        let token: Token = "abcdef.0123456789abcdef".parse().expect("a token");
        let wrong: Token = "abcdef.0123456789abcdee".parse().expect("a token");
        let unknown: Token = "bbcdef.0123456789abcdef".parse().expect("a token");
        let (pem, other) = (authority(), authority());
        let hash = authority_hashes(&pem).expect("a hash").remove(0);
        let map = info(&pem, &token);
        assert_eq!(trusted(&map, &token, &hash).expect("proven"), pem);
        let why = |token: &Token, map: &ConfigMap| trusted(map, token, &hash).expect_err("refused").to_string();
        assert!(why(&wrong, &map).contains("secret is wrong"));
        assert!(why(&unknown, &map).contains("does not know this token"));
        assert!(why(&token, &info(&other, &token)).contains("--ca-hash"));
    }
}
