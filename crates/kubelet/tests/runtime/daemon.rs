//! The whole kubelet over an API in memory: Node, pods of the API, and the gRPC server.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::BoxStream;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use nakhoda_client::memory::Memory;
use nakhoda_client::transport::{Call, Transport};
use nakhoda_client::{Client, Patch, Result, Selection};
use nakhoda_daemon::pki::layout::{Cluster, Folder};
use nakhoda_daemon::{Tasks, tls};
use nakhoda_kubelet::{Options, app};
use nakhoda_rpc::transport::{Address, Connector};
use nakhoda_rpc::v1::node_client::NodeClient;
use nakhoda_rpc::v1::{
    self, BlobList, Chunk, ImageListRequest, ImageRef, LogsRequest, NodeFrame, NodeOpen, PodRef, StatsRequest,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tonic::transport::Channel;

use crate::node::{Scratch, busybox};

/// Memory, with reviews that allow `system:masters` alone, and tokens that say nothing.
struct Api(Memory);

impl Transport for Api {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<v1::Object>> {
        if let Call::Create(request) = &call {
            let target = request.target.clone().unwrap_or_default();
            let body: Value =
                request.object.as_ref().and_then(|o| serde_json::from_slice(&o.body).ok()).unwrap_or_default();
            let status = match (target.resource.as_str(), target.subresource.as_str()) {
                ("subjectaccessreviews", _) => {
                    let groups = body["spec"]["groups"].as_array().cloned().unwrap_or_default();
                    Some(json!({"allowed": groups.contains(&json!("system:masters"))}))
                }
                (_, "token") => Some(json!({"token": "abc", "expirationTimestamp": "2999-01-01T00:00:00Z"})),
                _ => None,
            };
            if let Some(status) = status {
                let mut answer = body;
                answer["status"] = status;
                let object = v1::Object {
                    media_type: "application/json".into(),
                    body: answer.to_string().into(),
                    ..v1::Object::default()
                };
                return async { Ok(object) }.boxed();
            }
        }
        self.0.call(call)
    }

    fn list(&self, request: v1::ListRequest) -> BoxFuture<'static, Result<Vec<v1::ListChunk>>> {
        self.0.list(request)
    }

    fn watch(
        &self,
        request: v1::WatchRequest,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::WatchBatch>>>> {
        self.0.watch(request)
    }

    fn connect(
        &self,
        frames: mpsc::Receiver<v1::ConnectFrame>,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::ConnectFrame>>>> {
        self.0.connect(frames)
    }
}

fn options(scratch: &Scratch) -> Options {
    let path = |name: &str| scratch.0.join(name).display().to_string();
    let flags = [
        ("--kubeconfig", path("none")),
        ("--hostname-override", "n1".into()),
        ("--root-dir", path("kubelet")),
        ("--run-dir", path("run")),
        ("--cluster-dns", "10.96.0.10".into()),
        ("--tls-cert-file", path("pki/node-n1.crt")),
        ("--tls-private-key-file", path("pki/node-n1.key")),
        ("--client-ca-file", path("pki/ca.crt")),
        ("--cgroup-root", scratch.cgroup()),
        ("--pod-manifest-path", path("manifests")),
        // How full the disk is has nothing to do with this.
        ("--eviction-hard", "memory.available<1Mi".into()),
    ];
    Options::parse_from(
        std::iter::once("kubelet".to_owned())
            .chain(flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value])),
    )
}

fn dial(scratch: &Scratch, port: u16, who: &str) -> NodeClient<Channel> {
    let file = |name: &str| scratch.0.join("pki").join(name);
    let identity = tls::Files::load(&file(&format!("{who}.crt")), &file(&format!("{who}.key"))).expect("loaded");
    let config = tls::client(tls::roots(&file("ca.crt")).expect("read"), Some(identity), &[b"h2"]);
    let address = Address { host: "127.0.0.1".into(), port };
    NodeClient::new(Connector::new(vec![address], Arc::new(Arc::new(config)), None).expect("one address").channel())
}

/// Waits until a fact about an object in the API holds.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it comes true")
}

async fn node_is(client: &Client, status: &str) -> Node {
    until(async || {
        let node = client.all::<Node>().get("n1").await.ok()?;
        let conditions = node.status.as_ref()?.conditions.clone()?;
        conditions.iter().any(|c| c.type_ == "Ready" && c.status == status).then_some(node)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, containerd and a network namespace"]
async fn a_whole_kubelet_serves_its_api() {
    nakhoda_daemon::logging::init(nakhoda_daemon::logging::LogFormat::Text);
    nakhoda_daemon::install_crypto();
    let scratch = Scratch::new("nd");
    let tasks = Tasks::new();
    let pki = Folder::new(scratch.0.join("pki"));
    let local: IpAddr = [127, 0, 0, 1].into();
    pki.control_plane(&Cluster {
        server: "https://127.0.0.1:1".into(),
        names: vec![],
        addresses: vec![],
        life: nakhoda_daemon::pki::DAY,
    })
    .expect("made");
    pki.node("n1", &[local], "https://127.0.0.1:1").expect("made");
    let options = options(&scratch);
    std::fs::create_dir_all(scratch.0.join("manifests")).expect("made");
    let identity = tls::Files::load(&pki.path("node-n1.crt"), &pki.path("node-n1.key")).expect("loaded");
    let tls = tls::server(identity, &pki.path("ca.crt")).expect("a server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("known").port();
    let channel = app::runtime(&options, &tasks).await.expect("runs");
    let client = Client::over(Arc::new(Api(Memory::new())));
    app::assemble(
        app::Parts { options, name: "n1".into(), ip: local, client: client.clone(), channel, listener, tls },
        &tasks,
    )
    .expect("assembled");

    becomes_ready(&client).await;
    let mut node = dial(&scratch, port, "apiserver-kubelet-client");
    images(&mut node).await;
    runs_a_pod_of_the_api(&client).await;
    a_file_asks_for_a_pod(&scratch, &client).await;
    strangers_are_refused(&scratch, port).await;
    logs_and_exec(&mut node).await;
    crate::paths::answer(&scratch, port).await;
    streams_into_pods(&mut node, &client).await;
    client.namespaced::<Pod>("d").delete("web", &Default::default()).await.expect("deleted");
    let pods = scratch.0.join("kubelet/pods");
    until(async || std::fs::read_dir(&pods).ok()?.next().is_none().then_some(())).await;
    tasks.stop();
}

async fn becomes_ready(client: &Client) {
    let node = node_is(client, "False").await;
    let conditions = node.status.and_then(|s| s.conditions).expect("told");
    let ready = conditions.iter().find(|c| c.type_ == "Ready").and_then(|c| c.message.clone()).expect("told");
    assert!(
        ready.starts_with("container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"),
        "{ready}"
    );
    let patch = Patch::merge(&json!({"spec": {"podCIDR": "10.99.0.0/24", "podCIDRs": ["10.99.0.0/24"]}}));
    client.all::<Node>().patch("n1", &patch).await.expect("patched");
    let node = node_is(client, "True").await;
    assert_eq!(
        node.metadata.labels.as_ref().and_then(|l| l.get("kubernetes.io/hostname")).map(String::as_str),
        Some("n1")
    );
    let lease = until(async || client.namespaced::<Lease>("kube-node-lease").get("n1").await.ok()).await;
    assert_eq!(lease.spec.and_then(|s| s.lease_duration_seconds), Some(40));
}

async fn images(node: &mut NodeClient<Channel>) {
    let archive = busybox("bb:1");
    let chunks: Vec<Chunk> = archive.chunks(64 << 10).map(|part| Chunk { data: part.to_vec().into() }).collect();
    let mut progress = node.load_images(futures::stream::iter(chunks)).await.expect("taken").into_inner();
    let mut loaded = Vec::new();
    while let Some(step) = progress.message().await.expect("goes well") {
        loaded.extend(step.loaded);
    }
    assert_eq!(loaded, ["docker.io/library/bb:1"]);
    let half: Vec<Chunk> = vec![Chunk { data: archive[..archive.len() / 2].to_vec().into() }];
    let mut broken = node.load_images(futures::stream::iter(half)).await.expect("taken").into_inner();
    let error = loop {
        match broken.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("half an archive was taken for whole"),
            Err(error) => break error,
        }
    };
    assert_eq!(nakhoda_rpc::status::from_tonic(&error).code, 400, "{error:?}");
    let list = node.list_images(ImageListRequest {}).await.expect("listed").into_inner();
    assert!(list.images.iter().any(|i| i.pinned && i.tags == ["docker.io/library/bb:1"]), "{list:?}");
    let none = format!("sha256:{}", "0".repeat(64));
    let missing = node.missing_blobs(BlobList { digests: vec![none.clone()] }).await.expect("asked").into_inner();
    assert_eq!(missing.digests, [none]);
    let error = node.remove_image(ImageRef { name: "nothing:1".into() }).await.expect_err("not there");
    assert_eq!(nakhoda_rpc::status::from_tonic(&error).code, 404);
}

async fn runs_a_pod_of_the_api(client: &Client) {
    let token = json!({"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}});
    let pod = json!({
        "metadata": {"name": "web", "namespace": "d"},
        "spec": {
            "nodeName": "n1", "serviceAccountName": "default", "terminationGracePeriodSeconds": 1, "volumes": [token],
            "containers": [{
                "name": "c", "image": "bb:1", "volumeMounts": [{"name": "token", "mountPath": "/run/token"}],
                "command": ["/bin/sh", "-c", "cat /run/token/token; echo; mkdir /www; echo hello > /www/index.html; /bin/busybox httpd -p 127.0.0.1:8080 -h /www; /bin/busybox httpd -p 8081 -h /www; sleep 1000"],
                "readinessProbe": {"httpGet": {"port": 8081}, "periodSeconds": 1},
            }],
        },
    });
    client.namespaced::<Pod>("d").create(&serde_json::from_value(pod).expect("a pod")).await.expect("created");
    let pod = until(async || {
        let pod = client.namespaced::<Pod>("d").get("web").await.ok()?;
        let conditions = pod.status.as_ref()?.conditions.clone()?;
        conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True").then_some(pod)
    })
    .await;
    assert!(pod.status.and_then(|s| s.pod_ip).is_some_and(|ip| ip.starts_with("10.99.0.")));
    let reasons = until(async || {
        let events = client.namespaced::<Event>("d").list(&Selection::default()).await.ok()?;
        let reasons: Vec<String> = events.items.into_iter().filter_map(|e| e.reason).collect();
        reasons.contains(&"Started".into()).then_some(reasons)
    })
    .await;
    assert!(reasons.contains(&"Pulled".into()) && reasons.contains(&"Created".into()), "{reasons:?}");
}

async fn strangers_are_refused(scratch: &Scratch, port: u16) {
    let mut node = dial(scratch, port, "etcd/client");
    assert!(node.stats(StatsRequest {}).await.is_err(), "another authority's certificate");
    let authority = nakhoda_daemon::pki::Authority::read(&scratch.0.join("pki/ca.crt"), &scratch.0.join("pki/ca.key"))
        .expect("read");
    let profile = nakhoda_daemon::pki::Profile::client("nobody", &[]);
    let (cert, key) = authority.issue(&profile, Duration::from_secs(600)).expect("issued");
    std::fs::write(scratch.0.join("pki/nobody.crt"), cert).expect("written");
    std::fs::write(scratch.0.join("pki/nobody.key"), key).expect("written");
    let error = dial(scratch, port, "nobody").stats(StatsRequest {}).await.expect_err("not allowed");
    assert_eq!(error.code(), tonic::Code::PermissionDenied, "{error:?}");
}

/// The pod of a manifest runs, and is seen in the API by a mirror; who deletes the mirror does not touch the pod.
async fn a_file_asks_for_a_pod(scratch: &Scratch, client: &Client) {
    let api = client.namespaced::<Pod>("default");
    let file = scratch.0.join("manifests/web.yaml");
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  \
                - {name: c, image: 'bb:1'}\n";
    std::fs::write(&file, text).expect("written");
    let running = async || {
        let pod = api.get("web-n1").await.ok()?;
        let status = pod.status.as_ref()?;
        let container = status.container_statuses.as_ref()?.first()?.container_id.clone();
        (status.phase.as_deref() == Some("Running")).then_some((pod.metadata.uid, container))
    };
    let before = until(async || running().await).await;
    api.delete("web-n1", &Default::default()).await.expect("deleted");
    let after = until(async || running().await.filter(|after| after.0 != before.0)).await;
    assert_eq!(before.1, after.1, "the container is the same");
    std::fs::remove_file(file).expect("removed");
    until(async || api.get("web-n1").await.is_err().then_some(())).await;
}

fn web() -> Option<PodRef> {
    Some(PodRef { namespace: "d".into(), name: "web".into(), uid: String::new(), container: "c".into() })
}

async fn logs_and_exec(node: &mut NodeClient<Channel>) {
    let mut log = node.logs(LogsRequest { pod: web(), ..LogsRequest::default() }).await.expect("found").into_inner();
    let mut text = Vec::new();
    while let Some(chunk) = log.message().await.expect("goes well") {
        text.extend_from_slice(&chunk.data);
    }
    assert_eq!(String::from_utf8_lossy(&text), "abc\n");
    let none = LogsRequest { pod: web(), previous: true, ..LogsRequest::default() };
    let error = nakhoda_rpc::status::from_tonic(&node.logs(none).await.expect_err("there is none"));
    assert_eq!(error.message, "previous terminated container \"c\" in pod \"web\" not found");

    let open = |command: &[&str], stdin: bool| NodeFrame {
        open: Some(NodeOpen {
            pod: web(),
            command: command.iter().map(|s| (*s).to_owned()).collect(),
            stdin,
            stdout: true,
            stderr: true,
            ..NodeOpen::default()
        }),
        ..NodeFrame::default()
    };
    let input = |data: &'static str, close: bool| NodeFrame { data: data.into(), close, ..NodeFrame::default() };
    let frames =
        vec![open(&["/bin/sh", "-c", "cat; echo err >&2; exit 7"], true), input("half", false), input("closed", true)];
    let (out, err, status) = talk(node, frames).await;
    assert_eq!((out.as_str(), err.as_str()), ("halfclosed", "err\n"));
    assert_eq!(status["details"]["causes"][0]["message"], "7");
    let (_, _, status) = talk(node, vec![open(&["/bin/nothing"], false)]).await;
    assert_eq!(status["status"], "Failure");
    let (out, _, status) =
        talk(node, vec![open(&["/bin/sh", "-c", "/bin/busybox dd if=/dev/zero bs=1024 count=300 2>/dev/null"], false)])
            .await;
    assert_eq!((out.len(), status["status"].as_str()), (300 << 10, Some("Success")));
    let summary = node.stats(StatsRequest {}).await.expect("told").into_inner();
    let summary: Value = serde_json::from_slice(&summary.data).expect("JSON");
    assert_eq!(summary["pods"][0]["containers"][0]["name"], "c");
}

async fn talk(node: &mut NodeClient<Channel>, frames: Vec<NodeFrame>) -> (String, String, Value) {
    let mut answers = node.exec(futures::stream::iter(frames)).await.expect("opened").into_inner();
    let (mut out, mut err, mut status) = (Vec::new(), Vec::new(), Value::Null);
    while let Some(frame) = answers.message().await.expect("goes well") {
        match frame.channel {
            1 => out.extend_from_slice(&frame.data),
            2 => err.extend_from_slice(&frame.data),
            _ => status = serde_json::from_slice(&frame.data).expect("a Status"),
        }
    }
    (String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned(), status)
}

async fn streams_into_pods(node: &mut NodeClient<Channel>, client: &Client) {
    let pod = client.namespaced::<Pod>("d").get("web").await.expect("there");
    let address = pod.status.and_then(|s| s.pod_ip).expect("told");
    let get = NodeFrame { data: "GET /index.html HTTP/1.0\r\n\r\n".into(), ..NodeFrame::default() };
    let open = |port, address: &str| NodeFrame {
        open: Some(NodeOpen { pod: web(), port, address: address.into(), ..NodeOpen::default() }),
        ..NodeFrame::default()
    };
    let (send, receive) = mpsc::channel(4);
    for frame in [open(8080, ""), get.clone()] {
        send.send(frame).await.expect("taken");
    }
    let answers =
        node.port_forward(tokio_stream::wrappers::ReceiverStream::new(receive)).await.expect("connected").into_inner();
    assert!(all(answers).await.ends_with("hello\n"), "a server on the pod's loopback is reached");
    drop(send);
    let (send, receive) = mpsc::channel(4);
    for frame in [open(8081, &address), get] {
        send.send(frame).await.expect("taken");
    }
    let answers =
        node.dial(tokio_stream::wrappers::ReceiverStream::new(receive)).await.expect("connected").into_inner();
    assert!(all(answers).await.ends_with("hello\n"));
    drop(send);
    let foreign = futures::stream::iter(vec![open(80, "198.51.100.1")]);
    assert!(node.dial(foreign).await.is_err(), "only pods of this node");
    let closed = futures::stream::iter(vec![open(9, "")]);
    assert!(node.port_forward(closed).await.is_err());
}

async fn all(mut answers: tonic::Streaming<NodeFrame>) -> String {
    let mut bytes = Vec::new();
    while let Some(frame) = answers.message().await.expect("goes well") {
        bytes.extend_from_slice(&frame.data);
        if frame.close {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
