//! What only etcd has: time, TLS, its own failures, compaction by agreement.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{Cache, Caches, Settings};
use nakhoda_store::etcd::{Config, Etcd, Tls, compact};
use nakhoda_store::{ChangeKind, Error, List, Memory, Options, Store, Watch};

use super::harness::{Member, bytes, pod, shape, soon};

async fn open(member: &Member) -> Etcd {
    Etcd::new(&Config::plain(vec![member.endpoint()])).await.unwrap()
}

#[tokio::test]
async fn memory_forgets_what_was_not_renewed() {
    let start = Instant::now();
    let memory = Memory::new(start);
    let options = Options { ttl: Some(Duration::from_secs(60)), ..Options::default() };
    let first = memory.create(bytes("/e/1"), bytes("x"), &options).await.unwrap();
    memory.create(bytes("/e/2"), bytes("x"), &Options::default()).await.unwrap();
    memory.expire(start + Duration::from_secs(30));
    memory.update(bytes("/e/1"), first, bytes("y"), &options).await.unwrap();
    memory.expire(start + Duration::from_secs(60));
    assert!(memory.get(b"/e/1").await.unwrap().entry.is_some());
    memory.expire(start + Duration::from_secs(90));
    assert!(memory.get(b"/e/1").await.unwrap().entry.is_none());
    assert!(memory.get(b"/e/2").await.unwrap().entry.is_some());
}

#[tokio::test]
async fn etcd_forgets_a_key_when_its_time_is_over() {
    let member = Member::start(&[]);
    let etcd = open(&member).await;
    let options = Options { ttl: Some(Duration::from_secs(1)), ..Options::default() };
    let revision = etcd.create(bytes("/e/1"), bytes("x"), &options).await.unwrap();
    let mut stream = etcd.watch(Watch { prefix: bytes("/e/"), after: revision, previous: true }).await.unwrap();
    let gone = soon(stream.next()).await.unwrap().unwrap().changes.remove(0);
    assert_eq!((gone.kind, gone.revision), (ChangeKind::Delete, revision + 1));
    assert_eq!(&gone.previous.unwrap().value[..], b"x");
}

#[tokio::test]
async fn a_dead_etcd_is_unavailable_within_the_bound() {
    let member = Member::start(&[]);
    let endpoints = vec![member.endpoint()];
    let etcd = Etcd::new(&Config { within: Duration::from_millis(300), ..Config::plain(endpoints) }).await.unwrap();
    drop(member);
    let error = soon(etcd.get(b"/a")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. } | Error::TimedOut), "{error:?}");
    let error = soon(etcd.create(bytes("/a"), bytes("x"), &Options::default())).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. } | Error::TimedOut), "{error:?}");
    assert!(etcd.healthy(Duration::from_millis(100)).await.is_err());
}

#[tokio::test]
async fn a_call_waits_for_an_etcd_that_comes_up() {
    let mut member = Member::start(&[]);
    let etcd = open(&member).await;
    etcd.revision().await.unwrap();
    member.crash();
    etcd.create(bytes("/a"), bytes("x"), &Options::default()).await.unwrap();
    etcd.healthy(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_value_beyond_the_limit_is_too_large() {
    let member = Member::start(&[]);
    let etcd = open(&member).await;
    let error = etcd.create(bytes("/a"), vec![b'x'; 3 << 20].into(), &Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge), "{error:?}");
}

#[tokio::test]
async fn a_list_may_be_larger_than_a_grpc_message_by_default() {
    let member = Member::start(&[]);
    let etcd = open(&member).await;
    for number in 0..8 {
        etcd.create(bytes(&format!("/big/{number}")), vec![b'x'; 1 << 20].into(), &Options::default()).await.unwrap();
    }
    let listing = etcd.list(List { prefix: bytes("/big/"), ..List::default() }).await.unwrap();
    assert_eq!(listing.entries.len(), 8);
}

#[tokio::test]
async fn one_of_two_servers_compacts_to_what_was_a_period_ago() {
    let member = Member::start(&[]);
    let etcd = open(&member).await;
    let first = etcd.create(bytes("/a"), bytes("x"), &Options::default()).await.unwrap();
    let (mut one, mut two) = (compact::Clock::default(), compact::Clock::default());
    for _ in 0..3 {
        one = compact::tick(&etcd, one).await.unwrap();
        two = compact::tick(&etcd, two).await.unwrap();
        assert_eq!(one.version(), two.version(), "the second only learns");
    }
    assert!(compact::compacted(&etcd).await.unwrap() >= first);
    let error = etcd.list(List { prefix: bytes("/"), at: Some(first - 1), ..List::default() }).await.unwrap_err();
    assert!(matches!(error, Error::Compacted { .. }), "{error:?}");
}

/// A server's view of an etcd: a connection and a cache of its own.
async fn server(member: &Member) -> (Tasks, Arc<Etcd>, Cache) {
    let (tasks, etcd) = (Tasks::new(), Arc::new(open(member).await));
    let cache =
        Caches::start(etcd.clone(), tasks.clone(), Settings::default()).open("/registry/pods/", Arc::new(shape()));
    cache.ready().await;
    (tasks, etcd, cache)
}

/// `ROUNDS=n` writes so many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_wrote_another_reads_at_once() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let member = Member::start(&[]);
    let ((tasks, a, _), (others, _, b)) = (server(&member).await, server(&member).await);
    for round in 0..rounds {
        let name = format!("p{}", round % 100);
        let key = bytes(&format!("/registry/pods/ns/{name}"));
        let value = bytes(&pod(&name, &format!("n{round}"), "web"));
        let before = a.get(&key).await.unwrap().entry.map_or(0, |entry| entry.revision);
        let written = match before {
            0 => a.create(key, value, &Options::default()).await.unwrap(),
            revision => a.update(key, revision, value, &Options::default()).await.unwrap(),
        };
        let snapshot = soon(b.fresh()).await.unwrap();
        assert!(snapshot.revision() >= written, "round {round}");
        let listed = snapshot.walk(Some("ns"), None).find(|item| item.name() == name).map(|item| item.revision);
        assert_eq!(
            (snapshot.get(&format!("ns/{name}")).map(|item| item.revision), listed),
            (Some(written), Some(written))
        );
    }
    tasks.stop();
    others.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_etcd_takes_no_writes_and_is_read_all_the_same() {
    let member = Member::start(&["--quota-backend-bytes".to_owned(), (4 << 20).to_string()]);
    let (tasks, etcd, cache) = server(&member).await;
    etcd.create(bytes("/registry/pods/ns/a"), bytes(&pod("a", "n", "web")), &Options::default()).await.unwrap();
    let mut refused = None;
    for number in 0..100 {
        let value = vec![b'x'; 200 << 10].into();
        if let Err(error) = etcd.create(bytes(&format!("/big/{number}")), value, &Options::default()).await {
            refused = Some(error);
            break;
        }
    }
    assert!(matches!(refused, Some(Error::Full)), "{refused:?}");
    let error = etcd.create(bytes("/registry/pods/ns/b"), bytes("x"), &Options::default()).await.unwrap_err();
    assert!(matches!(error, Error::Full), "{error:?}");
    assert!(etcd.get(b"/registry/pods/ns/a").await.unwrap().entry.is_some());
    assert_eq!(soon(cache.fresh()).await.unwrap().len(), 1);
    tasks.stop();
}

#[tokio::test]
async fn etcd_is_reached_with_a_client_certificate_only() {
    nakhoda_daemon::install_crypto();
    let dir = std::env::temp_dir().join(format!("nakhoda-store-tls-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let pki = Pki::new();
    let (certificate, key) = pki.issue("server");
    let flag = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let extra = [
        "--client-cert-auth".to_owned(),
        "--trusted-ca-file".to_owned(),
        flag("ca.crt", &pki.certificate.pem()),
        "--cert-file".to_owned(),
        flag("server.crt", &certificate),
        "--key-file".to_owned(),
        flag("server.key", &key),
    ];
    let member = Member::start(&extra);
    let (certificate, key) = pki.issue("client");
    let tls = Tls { ca: pki.certificate.pem().into(), certificate: certificate.into(), key: key.into() };
    let plain = Config::plain(vec![format!("https://127.0.0.1:{}", member.client)]);
    let etcd = Etcd::new(&Config { tls: Some(tls.clone()), ..plain.clone() }).await.unwrap();
    etcd.create(bytes("/a"), bytes("x"), &Options::default()).await.unwrap();
    etcd.reload(&Config { tls: Some(tls), ..plain.clone() }).await.unwrap();
    assert!(etcd.get(b"/a").await.unwrap().entry.is_some());
    let nobody = Etcd::new(&Config { within: Duration::from_millis(300), ..plain }).await.unwrap();
    assert!(nobody.revision().await.is_err());
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A CA for one test.
struct Pki {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

// === impl Pki ===

impl Pki {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    fn issue(&self, name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned(), name.to_owned()]).unwrap();
        params.extended_key_usages =
            vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}
