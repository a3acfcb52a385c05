//! Putting the parts together: runtime, API, pods, node, server.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use nakhoda_client::{Client, Config, Informers, Recorder, Selection};
use nakhoda_daemon::{Tasks, tls};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tonic::transport::Channel;

use crate::cgroup::Cgroups;
use crate::containerd::events::Event;
use crate::containerd::{config, events, process};
use crate::cri::Cri;
use crate::eviction::{self, Pressure};
use crate::host::{Capacity, Host, Owners, Paths};
use crate::image::Images;
use crate::image::archives::Archives;
use crate::image::gc::Collector;
use crate::image::pull::Puller;
use crate::node::machine::Machine;
use crate::node::{keeper, lease, routes};
use crate::options::{Options, Runtime};
use crate::pod::allocations::Allocations;
use crate::pod::manager::Manager;
use crate::server::{self, Server};
use crate::source::live::Live;
use crate::source::pods;
use crate::source::statics::Statics;
use crate::usage::{self, Meter};
use crate::{dns, join, log, pause, preflight, pressure};

/// What a node is assembled of.
pub struct Parts {
    /// The command line.
    pub options: Options,
    /// The node's name.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// The API.
    pub client: Client,
    /// The runtime.
    pub channel: Channel,
    /// The server's port.
    pub listener: TcpListener,
    /// The server's certificate and whom it trusts.
    pub tls: Arc<ServerConfig>,
}

/// Starts everything; returns when all of it runs.
pub async fn start(mut options: Options, tasks: Tasks) -> anyhow::Result<()> {
    if !options.ineffective.is_empty() {
        tracing::warn!(
            fields = options.ineffective.join(", "),
            "these fields of the configuration change nothing here"
        );
    }
    preflight::check(&options)?;
    let name = name(&options)?;
    std::fs::create_dir_all(&options.root_dir)
        .with_context(|| format!("cannot make {}", options.root_dir.display()))?;
    let access = join::access(&options, &name).await?;
    let config = Config::from_kubeconfig(&access.kubeconfig)?;
    let facing = || {
        let address = config.addresses().first()?;
        routes::own_address(&address.host, address.port)
    };
    let ip = options.node_ip.or_else(facing);
    let ip = ip.context("no address of this node faces the API server; pass --node-ip")?;
    let identity = tls::Files::load(&access.serving.0, &access.serving.1)?;
    identity.keep_fresh(&tasks);
    let tls = tls::server(identity, &access.authority)?;
    let listener = server::bind(options.port).await?;
    let channel = runtime(&options, &tasks).await?;
    let client = Client::new(&config);
    if options.cluster_dns.is_empty() {
        options.cluster_dns = name_servers(&client).await;
    }
    if access.joined {
        join::keep_fresh(&tasks, &client, &options.root_dir, &name, ip);
    }
    assemble(Parts { options, name, ip, client, channel, listener, tls }, &tasks)
}

/// Lets the parts run.
pub fn assemble(parts: Parts, tasks: &Tasks) -> anyhow::Result<()> {
    let Parts { options, name, ip, client, channel, listener, tls } = parts;
    let informers = Informers::new(client.clone(), tasks.clone());
    let recorder = Recorder::new(client.clone(), tasks, "kubelet", &name);
    let (changed, changes) = mpsc::unbounded_channel();
    let live = Arc::new(Live::new(&client, &informers, tasks, recorder.clone(), &changed));
    let archives = Archives::new(client.clone(), &name, Images::new(channel.clone()), &options.root_dir);
    let host = Arc::new(host(&options, &name, ip.to_string(), &channel, live.clone(), tasks, archives));
    let manager = Manager::new(host.clone());

    let selection = Selection { fields: format!("spec.nodeName={name}"), ..Selection::default() };
    let nodes = informers.of::<Node>();
    let statics = Statics::new(client.clone(), &name, nodes, live.clone(), manager.clone(), tasks);
    if let Some(folder) = options.pod_manifest_path.clone() {
        statics.follow(folder, tasks);
    }
    pods::follow(tasks, informers.select::<Pod>(None, selection), live, manager.clone(), statics);
    let images = follow_events(tasks, &channel, &manager, changes);
    let collector = Collector::new(Images::new(channel), host.cri.clone(), options.root_dir.clone());
    tasks.spawn("image collection", collector.run(images.clone()));
    tasks.spawn("log rotation", log::rotate::run(host.cri.clone()));
    let evictions = options.evictions.settings(&options.root_dir).map_err(anyhow::Error::msg)?;
    tasks.spawn("usage", usage::run(host.clone(), manager.clone()));
    tasks.spawn("evictions", eviction::run::run(evictions, host.clone(), manager.clone()));
    let own = node(&options, &host, &client, &informers, recorder, images);
    let hierarchy = run_dir(&options).join("cgroup2");
    let pressure = pressure::run::run(host.clone(), manager.clone(), client.clone(), hierarchy, own);
    tasks.spawn_draining("pressure", pressure);
    Server::new(host, manager, client).run(tasks, listener, tls);
    tracing::info!(node = name, %ip, port = options.port, "kubelet runs");
    Ok(())
}

/// The addresses of the cluster's DNS, as its Service has them.
async fn name_servers(client: &Client) -> Vec<IpAddr> {
    match client.namespaced::<Service>("kube-system").get("kube-dns").await {
        Ok(service) => {
            let addresses = service.spec.and_then(|spec| spec.cluster_ips).unwrap_or_default();
            addresses.iter().filter_map(|address| address.parse().ok()).collect()
        }
        Err(error) => {
            tracing::warn!(%error, "pods get no name server: the Service kube-system/kube-dns cannot be read; pass --cluster-dns");
            Vec::new()
        }
    }
}

fn name(options: &Options) -> anyhow::Result<String> {
    let own = || rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    let name = options.hostname_override.clone().unwrap_or_else(own);
    anyhow::ensure!(!name.is_empty(), "the machine has no hostname; pass --hostname-override NAME");
    Ok(name)
}

/// A channel to the runtime, which then has the pause image.
pub async fn runtime(options: &Options, tasks: &Tasks) -> anyhow::Result<Channel> {
    let channel = match (&options.container_runtime, &options.container_runtime_endpoint) {
        (Runtime::Remote, Some(socket)) => {
            let socket = socket.strip_prefix("unix://").unwrap_or(socket);
            crate::containerd::connect(socket)
                .await
                .with_context(|| format!("no containerd answers at {}", socket.display()))?
        }
        _ => process::Managed::prepare(layout(options))?.run(tasks).await?,
    };
    if Cri::new(channel.clone()).image(pause::IMAGE).await?.is_none() {
        Images::new(channel.clone()).load(std::io::Cursor::new(pause::archive()?)).await?;
    }
    Ok(channel)
}

fn layout(options: &Options) -> config::Layout {
    let run = run_dir(options);
    config::Layout {
        root: options.root_dir.join("containerd/root"),
        socket: run.join("containerd.sock"),
        state: run,
        cni_bin: options.cni_bin_dir.clone(),
        cni_conf: cni_dir(&options.root_dir),
        driver: options.cgroup_driver,
        may_lower_oom_score: config::may_lower_oom_score(),
    }
}

fn run_dir(options: &Options) -> std::path::PathBuf {
    options.run_dir.clone().unwrap_or_else(|| options.root_dir.join("run"))
}

fn cni_dir(root: &Path) -> std::path::PathBuf {
    root.join("cni")
}

fn host(
    options: &Options,
    name: &str,
    ip: String,
    channel: &Channel,
    live: Arc<Live>,
    tasks: &Tasks,
    archives: Archives,
) -> Host {
    let cri = Cri::new(channel.clone());
    let machine = Machine::read(&options.root_dir);
    Host {
        name: name.into(),
        ips: vec![ip],
        puller: Puller::new(cri.clone()).with(archives),
        cri,
        channel: channel.clone(),
        cluster: live,
        cgroups: Cgroups::new(&options.cgroup_root, options.cgroup_driver),
        paths: Paths::new(&options.root_dir),
        dns: dns::Settings {
            servers: options.cluster_dns.iter().map(ToString::to_string).collect(),
            domain: options.cluster_domain.clone(),
            resolv_conf: options.resolv_conf.clone(),
        },
        capacity: Capacity {
            cpu: machine.cores * 1000,
            memory: machine.memory,
            storage: machine.disk,
            pods: options.max_pods,
        },
        started: jiff::Timestamp::now(),
        tasks: tasks.clone(),
        owners: Owners::default(),
        allocations: Allocations::default(),
        pressure: Pressure::default(),
        meter: Meter::default(),
    }
}

/// Gives the runtime's events to the pods, and a count of changes to images to whoever watches it.
fn follow_events(
    tasks: &Tasks,
    channel: &Channel,
    manager: &Manager,
    mut changes: mpsc::UnboundedReceiver<String>,
) -> watch::Receiver<u64> {
    let (count, counted) = watch::channel(0);
    let (forward, forwarded) = mpsc::channel(1024);
    let mut events = events::subscribe(channel.clone(), tasks);
    tasks.spawn("runtime events", async move {
        while let Some(event) = events.recv().await {
            if event == Event::Images {
                count.send_modify(|count| *count += 1);
            }
            if forward.send(event).await.is_err() {
                return;
            }
        }
    });
    tasks.spawn("pod events", manager.clone().follow(forwarded));
    let manager = manager.clone();
    tasks.spawn("changed objects", async move {
        while let Some(namespace) = changes.recv().await {
            manager.refresh(&namespace);
        }
    });
    counted
}

/// The Node object, its heartbeat, and the routes. The Node goes to who is given back, once it is registered.
fn node(
    options: &Options,
    host: &Host,
    client: &Client,
    informers: &Informers,
    recorder: Recorder,
    images: watch::Receiver<u64>,
) -> watch::Receiver<Option<Node>> {
    let (told, node) = watch::channel(None);
    let settings = keeper::Settings {
        name: host.name.clone(),
        ips: host.ips.clone(),
        port: options.port,
        max_pods: options.max_pods,
        labels: options.node_labels.clone(),
        root: options.root_dir.clone(),
        pressure: host.pressure.clone(),
        cni: (options.container_runtime == Runtime::Managed).then(|| cni_dir(&options.root_dir)),
    };
    let keeper = keeper::Keeper::new(settings, client.clone(), host.cri.clone(), recorder, told);
    host.tasks.spawn("node status", keeper.run(informers.clone(), images));
    host.tasks.spawn("node lease", lease::beat(client.clone(), host.name.clone(), node.clone()));
    host.tasks.spawn("routes", routes::follow(informers.of::<Node>(), host.name.clone()));
    node
}
