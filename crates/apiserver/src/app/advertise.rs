//! Keeps `default/kubernetes` (Service, Endpoints, EndpointSlice) pointing at the API servers that are
//! alive. Each holds a lease in etcd, as upstream's do, and all write the same answer from all leases; a
//! server that stops takes its own away.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use nakhoda_daemon::Tasks;
use nakhoda_store::Error;
use nakhoda_store::store::{List, Op, Txn};
use serde_json::{Value, json};

use crate::options::Serving;
use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};

const PREFIX: &str = "/registry/masterleases/";
const TTL: Duration = Duration::from_secs(15);
const PERIOD: Duration = Duration::from_secs(5);
const NAME: &str = "kubernetes";
const NAMESPACE: &str = "default";

/// Where clients reach this server: as told, or the address of the default route.
pub(super) fn address(serving: &Serving) -> anyhow::Result<SocketAddr> {
    let port = serving.advertise_port.unwrap_or(serving.secure_port);
    let ip = match serving.advertise_address {
        Some(ip) => ip,
        None => routed().context("no default route tells which address to advertise; pass --advertise-address IP")?,
    };
    anyhow::ensure!(!ip.is_unspecified(), "--advertise-address must be an address that nodes can reach, not {ip}");
    Ok(SocketAddr::new(ip, port))
}

/// Connecting a datagram socket sends nothing; it only chooses the route.
fn routed() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    socket.local_addr().ok().map(|a| a.ip()).filter(|ip| !ip.is_unspecified() && !ip.is_loopback())
}

/// Starts keeping them.
pub(super) fn keep(pipeline: &Pipeline, tasks: &Tasks, advertised: SocketAddr, port: u16) {
    let (pipeline, stop) = (pipeline.clone(), tasks.token());
    tasks.spawn_draining("kubernetes service", async move {
        let mut tick = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => break,
            }
            if let Err(status) = reconcile(&pipeline, advertised, port, true).await {
                tracing::warn!(error = %status, "default/kubernetes, trying again");
            }
        }
        if let Err(status) = reconcile(&pipeline, advertised, port, false).await {
            tracing::debug!(error = %status, "leaving default/kubernetes");
        }
    });
}

async fn reconcile(pipeline: &Pipeline, advertised: SocketAddr, port: u16, alive: bool) -> Result<(), Status> {
    let failed = |error: Error| Status::unavailable(nakhoda_api::status::chain(&error), 1);
    lease(pipeline, advertised.ip(), alive).await.map_err(failed)?;
    let mut addresses = leases(pipeline).await.map_err(failed)?;
    addresses.sort();
    if alive {
        put(pipeline, ("", "services"), service(pipeline, port), &["spec", "ports"]).await?;
    }
    if addresses.is_empty() && !alive {
        return Ok(());
    }
    put(pipeline, ("", "endpoints"), endpoints(&addresses, advertised.port()), &["subsets"]).await?;
    put(pipeline, ("discovery.k8s.io", "endpointslices"), slice(&addresses, advertised.port()), &["endpoints"]).await
}

async fn lease(pipeline: &Pipeline, ip: IpAddr, alive: bool) -> Result<(), Error> {
    let key = Bytes::from(format!("{PREFIX}{ip}"));
    let value =
        json!({"kind": "Endpoints", "apiVersion": "v1", "metadata": {}, "subsets": [{"addresses": [{"ip": ip}]}]});
    let op = if alive { Op::Put { key, value: value.to_string().into(), ttl: Some(TTL) } } else { Op::Delete { key } };
    pipeline.storage().store().commit(Txn { compares: Vec::new(), ops: vec![op] }).await.map(|_| ())
}

async fn leases(pipeline: &Pipeline) -> Result<Vec<IpAddr>, Error> {
    let list = List { prefix: PREFIX.into(), ..List::default() };
    let listing = pipeline.storage().store().list(list).await?;
    let name = |key: &[u8]| std::str::from_utf8(key).ok()?.strip_prefix(PREFIX)?.parse().ok();
    Ok(listing.entries.iter().filter_map(|entry| name(&entry.key)).collect())
}

/// Makes the object, or writes the fields named by `path` if they differ.
async fn put(pipeline: &Pipeline, resource: (&str, &str), wanted: Value, path: &[&str]) -> Result<(), Status> {
    let wanted = Object::from_value(wanted).map_err(|error| Status::internal(&error))?;
    let target = |name: &str| ResourceTarget {
        gvr: GroupVersionResource::new(resource.0, "v1", resource.1),
        namespace: NAMESPACE.into(),
        name: name.into(),
        ..ResourceTarget::default()
    };
    let write = |object: Object| Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
    let Some(item) = pipeline.storage().item(&target("").gvr, NAMESPACE, NAME) else {
        return match pipeline.internal(target(""), Action::Create(write(wanted))).await {
            // made by another server: the next round sees it
            Err(status) if status.is(Reason::AlreadyExists) => Ok(()),
            other => other.map(|_| ()),
        };
    };
    let mut found = Object::from_json(item.json()).map_err(|error| Status::internal(&error))?;
    let value = wanted.at(path).cloned().unwrap_or_default();
    if found.at(path) == Some(&value) {
        return Ok(());
    }
    found.set_at(path, value);
    match pipeline.internal(target(NAME), Action::Update(write(found))).await {
        Err(status) if status.is(Reason::Conflict) => Ok(()),
        other => other.map(|_| ()),
    }
}

fn service(pipeline: &Pipeline, port: u16) -> Value {
    json!({
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {
            "name": NAME, "namespace": NAMESPACE,
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            "clusterIP": pipeline.allocators().addresses.at(1),
            "type": "ClusterIP",
            "sessionAffinity": "None",
        },
    })
}

fn endpoints(addresses: &[IpAddr], port: u16) -> Value {
    let addresses: Vec<Value> = addresses.iter().map(|ip| json!({"ip": ip})).collect();
    json!({
        "kind": "Endpoints",
        "apiVersion": "v1",
        "metadata": {
            "name": NAME, "namespace": NAMESPACE,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": addresses, "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}],
    })
}

fn slice(addresses: &[IpAddr], port: u16) -> Value {
    let family = if addresses.iter().all(IpAddr::is_ipv4) { "IPv4" } else { "IPv6" };
    let endpoints: Vec<Value> =
        addresses.iter().map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}})).collect();
    json!({
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": {
            "name": NAME, "namespace": NAMESPACE,
            "labels": {"kubernetes.io/service-name": NAME},
        },
        "addressType": family,
        "endpoints": endpoints,
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    })
}
