//! A node's scratch directory with a containerd of its own, images, and an API of a few values.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::authentication::v1::TokenRequestStatus;
use k8s_openapi::api::core::v1::{ConfigMap, Node, PersistentVolume, Pod, PodStatus, Secret, Service};
use nakhoda_kubelet::cgroup::{Cgroups, Driver};
use nakhoda_kubelet::containerd::{config, process};
use nakhoda_kubelet::cri::Cri;
use nakhoda_kubelet::host::{Capacity, Host, Owners, Paths};
use nakhoda_kubelet::image::Images;
use nakhoda_kubelet::image::pull::Puller;
use nakhoda_kubelet::source::{Cluster, Error, Severity, TokenWish};
use nakhoda_kubelet::{cni, dns, pause};
use parking_lot::Mutex;
use tokio::sync::watch;
use tonic::transport::Channel;

pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(prefix: &str) -> Self {
        Self(std::env::temp_dir().join(format!("{prefix}{}", std::process::id())))
    }

    /// The cgroup of its pods, named as the directory is.
    pub(crate) fn cgroup(&self) -> String {
        format!("/{}", self.0.file_name().expect("it has one").display())
    }
}

impl Drop for Scratch {
    /// Nothing is left, whatever went wrong before: neither process nor mount nor cgroup nor file.
    fn drop(&mut self) {
        let own = std::fs::read_to_string(self.0.join("run/containerd.pid")).unwrap_or_default();
        end(own.trim().lines());
        end(shims(&self.0).iter().map(String::as_str));
        end(members(&Path::new("/sys/fs/cgroup/pids").join(self.cgroup().trim_start_matches('/')))
            .iter()
            .map(String::as_str));
        Cgroups::new("/", Driver::Cgroupfs).remove(&self.cgroup());
        if let Err(error) = nakhoda_kubelet::volume::tmpfs::unmount_below(&self.0) {
            eprintln!("{error}");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

/// Kills and waits.
fn end<'a>(pids: impl Iterator<Item = &'a str>) {
    for pid in pids.filter_map(|pid| pid.parse().ok()).filter_map(rustix::process::Pid::from_raw) {
        let dead = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        while !dead() {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

fn shims(base: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("readable").flatten();
    let pids = processes.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ours = |pid: &String| {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        words.contains("containerd-shim") && words.contains(&*base.to_string_lossy())
    };
    pids.filter(ours).collect()
}

fn members(cgroup: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    let below = std::fs::read_dir(cgroup).into_iter().flatten().flatten().filter(|e| e.path().is_dir());
    text.lines().map(str::to_owned).chain(below.flat_map(|e| members(&e.path()))).collect()
}

pub(crate) fn layout(base: &Path) -> config::Layout {
    config::Layout {
        root: base.join("containerd/root"),
        state: base.join("run"),
        socket: base.join("run/c.sock"),
        cni_bin: "/usr/lib/cni".into(),
        cni_conf: base.join("cni"),
        driver: Driver::Cgroupfs,
        may_lower_oom_score: config::may_lower_oom_score(),
    }
}

/// An image with a static busybox, as `docker save` writes it.
pub(crate) fn busybox(name: &str) -> Vec<u8> {
    let shell = std::fs::read("/bin/busybox")
        .or_else(|_| std::fs::read("/usr/bin/busybox"))
        .expect("busybox-static is installed");
    let pack = |files: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o755);
            builder.append_data(&mut header, path, *bytes).expect("packed");
        }
        builder.into_inner().expect("packed")
    };
    let layer = pack(&[("bin/busybox", &shell), ("bin/sh", &shell), ("bin/cat", &shell), ("bin/sleep", &shell)]);
    let digest: String = <sha2::Sha256 as sha2::Digest>::digest(&layer).iter().map(|b| format!("{b:02x}")).collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "1000"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = serde_json::json!([{"Config": "c.json", "RepoTags": [name], "Layers": ["l/layer.tar"]}]);
    pack(&[
        ("l/layer.tar", &layer),
        ("c.json", config.to_string().as_bytes()),
        ("manifest.json", manifest.to_string().as_bytes()),
    ])
}

/// An API that knows one ConfigMap and remembers what it is told.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) events: Mutex<Vec<(String, String)>>,
    pub(crate) statuses: watch::Sender<PodStatus>,
    pub(crate) removed: watch::Sender<bool>,
}

impl Cluster for Fake {
    fn config_map<'a>(&'a self, _: &'a str, name: &'a str) -> BoxFuture<'a, Result<Arc<ConfigMap>, Error>> {
        let found = (name == "settings").then(|| {
            let data = [("colour".to_owned(), "blue".to_owned())].into();
            Arc::new(ConfigMap { data: Some(data), ..ConfigMap::default() })
        });
        async move { found.ok_or_else(|| Error::NotFound(format!("configmap {name:?} not found"))) }.boxed()
    }

    fn secret<'a>(&'a self, _: &'a str, name: &'a str) -> BoxFuture<'a, Result<Arc<Secret>, Error>> {
        async move { Err(Error::NotFound(format!("secret {name:?} not found"))) }.boxed()
    }

    fn volume_of<'a>(&'a self, _: &'a str, claim: &'a str) -> BoxFuture<'a, Result<PersistentVolume, Error>> {
        async move { Err(Error::NotFound(format!("persistentvolumeclaim {claim:?} not found"))) }.boxed()
    }

    fn token<'a>(&'a self, _: &'a Pod, _: &'a TokenWish) -> BoxFuture<'a, Result<TokenRequestStatus, Error>> {
        async { Err(Error::Failed("no tokens here".into())) }.boxed()
    }

    fn runtime_handler<'a>(&'a self, class: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        async move { Err(Error::NotFound(format!("runtimeclass.node.k8s.io {class:?} not found"))) }.boxed()
    }

    fn node(&self, _: &str) -> Option<Arc<Node>> {
        None
    }

    fn services(&self) -> BoxFuture<'_, Vec<Arc<Service>>> {
        async { Vec::new() }.boxed()
    }

    fn event(&self, _: &Pod, _: Option<String>, _: Severity, reason: &str, message: String) {
        self.events.lock().push((reason.into(), message));
    }

    fn status(&self, _: &Arc<Pod>, status: PodStatus) {
        self.statuses.send_replace(status);
    }

    fn remove(&self, _: &Arc<Pod>) {
        self.removed.send_replace(true);
    }
}

/// A channel to a fresh containerd that has the pause image and `bb:1`, and a pod network.
pub(crate) async fn node(scratch: &Scratch, tasks: &nakhoda_daemon::Tasks) -> Channel {
    let managed = process::Managed::prepare(layout(&scratch.0)).expect("prepared");
    let channel = managed.run(tasks).await.expect("containerd runs");
    cni::write(&scratch.0.join("cni"), &scratch.0.join("ipam"), &["10.99.0.0/24".into()]).expect("written");
    let images = Images::new(channel.clone());
    images.load(std::io::Cursor::new(pause::archive().expect("supported"))).await.expect("pause loads");
    images.load(std::io::Cursor::new(busybox("bb:1"))).await.expect("loads");
    let cri = Cri::new(channel.clone());
    while cri.status(false).await.expect("status").status.is_some_and(|s| s.conditions.iter().any(|c| !c.status)) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    channel
}

/// What pods share.
pub(crate) fn host(
    scratch: &Scratch,
    tasks: &nakhoda_daemon::Tasks,
    channel: &Channel,
    cluster: Arc<Fake>,
) -> Arc<Host> {
    let cri = Cri::new(channel.clone());
    Arc::new(Host {
        name: "n1".into(),
        ips: vec!["192.0.2.1".into()],
        puller: Puller::new(cri.clone()),
        cri,
        channel: channel.clone(),
        cluster,
        cgroups: Cgroups::new(&scratch.cgroup(), Driver::Cgroupfs),
        paths: Paths::new(&scratch.0.join("kubelet")),
        dns: dns::Settings {
            servers: vec!["10.96.0.10".into()],
            domain: "cluster.local".into(),
            resolv_conf: "/etc/resolv.conf".into(),
        },
        capacity: Capacity { cpu: 1000, memory: 1 << 30, storage: 1 << 30, pods: 110 },
        started: jiff::Timestamp::now(),
        tasks: tasks.clone(),
        owners: Owners::default(),
        allocations: nakhoda_kubelet::pod::allocations::Allocations::default(),
        pressure: nakhoda_kubelet::eviction::Pressure::default(),
        meter: nakhoda_kubelet::usage::Meter::default(),
    })
}
