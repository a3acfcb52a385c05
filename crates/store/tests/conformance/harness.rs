//! The stores under test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{Cache, Caches, Paths, Settings};
use nakhoda_store::etcd::{Config, Etcd};
use nakhoda_store::{Memory, Options, Store};

/// A store under test, and what it needs to live.
pub struct Backend {
    pub store: Arc<dyn Store>,
    pub member: Option<Member>,
}

/// An etcd process of our own.
pub struct Member {
    child: Child,
    dir: PathBuf,
    pub client: u16,
    peer: u16,
    extra: Vec<String>,
}

pub fn memory() -> Backend {
    Backend { store: Arc::new(Memory::new(Instant::now())), member: None }
}

pub async fn etcd() -> Backend {
    let member = Member::start(&[]);
    let store = Etcd::new(&Config::plain(vec![member.endpoint()])).await.unwrap();
    store.revision().await.expect("etcd answers");
    Backend { store: Arc::new(store), member: Some(member) }
}

// === impl Backend ===

impl Backend {
    pub fn caches(&self, settings: Settings) -> (Tasks, Caches) {
        let tasks = Tasks::new();
        let caches = Caches::start(self.store.clone(), tasks.clone(), settings);
        (tasks, caches)
    }

    /// The cache of pods, filled.
    pub async fn pods(&self, settings: Settings) -> (Tasks, Caches, Cache) {
        let (tasks, caches) = self.caches(settings);
        let cache = caches.open("/registry/pods/", Arc::new(shape()));
        cache.ready().await;
        (tasks, caches, cache)
    }

    pub async fn create(&self, key: &str, value: &str) -> u64 {
        self.store.create(bytes(key), bytes(value), &Options::default()).await.unwrap()
    }

    pub async fn update(&self, key: &str, expected: u64, value: &str) -> u64 {
        self.store.update(bytes(key), expected, bytes(value), &Options::default()).await.unwrap()
    }

    pub async fn remove(&self, key: &str) -> u64 {
        self.store.remove(bytes(key), &Options::default()).await.unwrap().revision
    }
}

/// Pods as far as these tests go.
pub fn shape() -> Paths {
    Paths::new([("spec.nodeName", ""), ("status.phase", "Pending")]).with_hot("spec.nodeName")
}

/// A pod's JSON as it is stored.
pub fn pod(name: &str, node: &str, app: &str) -> String {
    format!(
        r#"{{"kind":"Pod","metadata":{{"name":"{name}","uid":"uid-{name}","labels":{{"app":"{app}"}}}},"spec":{{"nodeName":"{node}"}}}}"#
    )
}

pub fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

// === impl Member ===

impl Member {
    /// Starts etcd on ports of its own with more flags.
    pub fn start(extra: &[String]) -> Self {
        assert!(
            Path::new("/usr/bin/etcd").exists(),
            "these tests need /usr/bin/etcd: `apt-get install etcd-server`, or run scripts/test, which does"
        );
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("nakhoda-store-{}-{number}", std::process::id()));
        Self::on(dir, (free_port(), free_port()), extra.to_vec())
    }

    /// Three members of one cluster, `m0` to `m2`.
    pub fn three() -> [Self; 3] {
        let ports = [0, 1, 2].map(|number| (number, free_port(), free_port()));
        let cluster = ports.map(|(number, _, peer)| format!("m{number}=http://127.0.0.1:{peer}")).join(",");
        ports.map(|(number, client, peer)| {
            let dir = std::env::temp_dir().join(format!("nakhoda-store-{}-m{number}-{peer}", std::process::id()));
            let name = format!("m{number}");
            let extra = ["--name", &name, "--initial-cluster", &cluster].map(str::to_owned).to_vec();
            Self::on(dir, (client, peer), extra)
        })
    }

    fn on(dir: PathBuf, (client, peer): (u16, u16), extra: Vec<String>) -> Self {
        let child = launch(&dir, client, peer, &extra);
        Self { child, dir, client, peer, extra }
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.client)
    }

    /// Keeps its data as they are now, beside it.
    pub fn save(&mut self) {
        self.stop();
        copy(&self.dir, &self.saved());
        self.child = launch(&self.dir, self.client, self.peer, &self.extra);
    }

    /// Puts the data back that were kept.
    pub fn restore(&mut self) {
        self.stop();
        std::fs::remove_dir_all(&self.dir).unwrap();
        copy(&self.saved(), &self.dir);
        self.child = launch(&self.dir, self.client, self.peer, &self.extra);
    }

    fn saved(&self) -> PathBuf {
        self.dir.with_extension("saved")
    }

    /// Kills it as a power cut would, and starts it again on its data.
    pub fn crash(&mut self) {
        self.stop();
        self.child = launch(&self.dir, self.client, self.peer, &self.extra);
    }

    /// Kills it for good.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.dir);
        let _ = std::fs::remove_dir_all(self.saved());
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

fn launch(dir: &Path, client: u16, peer: u16, extra: &[String]) -> Child {
    let scheme = if extra.iter().any(|flag| flag == "--cert-file") { "https" } else { "http" };
    let client = format!("{scheme}://127.0.0.1:{client}");
    let peer = format!("http://127.0.0.1:{peer}");
    Command::new("/usr/bin/etcd")
        .arg("--data-dir")
        .arg(dir)
        .args(["--name", "test", "--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("test={peer}"), "--log-level", "error"])
        .args(["--heartbeat-interval", "20", "--election-timeout", "200"])
        .args(extra)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("etcd starts")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Fails instead of hanging: no wait of these tests takes so long.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it never came")
}
