//! Keeps `default/kubernetes` (Service, Endpoints, EndpointSlice) pointing at the API servers that are
//! alive. Each holds a lease in etcd, where upstream's do, and all write the same answer from all leases; a
//! server that stops takes its own away. Servers behind one address hold one lease each, so the address
//! stays as long as any of them lives.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use nakhoda_daemon::Tasks;
use nakhoda_store::Error;
use nakhoda_store::store::{List, Op, Txn};
use serde_json::{Value, json};

use super::default_cidr;
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

/// One server's part in it.
struct Keeper {
    pipeline: Pipeline,
    /// Of this server's lease.
    key: Bytes,
    advertised: SocketAddr,
    /// Where pods on the host's network find it.
    port: u16,
}

/// Starts keeping them.
pub(super) fn keep(pipeline: &Pipeline, tasks: &Tasks, advertised: SocketAddr, port: u16) {
    let key = format!("{PREFIX}{}/{}", advertised.ip(), uuid::Uuid::new_v4()).into();
    let keeper = Keeper { pipeline: pipeline.clone(), key, advertised, port };
    let stop = tasks.token();
    tasks.spawn_draining("kubernetes service", async move {
        let mut tick = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => break,
            }
            if let Err(status) = keeper.reconcile(true).await {
                tracing::warn!(error = %status, "default/kubernetes, trying again");
            }
        }
        if let Err(status) = keeper.reconcile(false).await {
            tracing::debug!(error = %status, "leaving default/kubernetes");
        }
    });
}

// === impl Keeper ===

impl Keeper {
    async fn reconcile(&self, alive: bool) -> Result<(), Status> {
        let failed = |error: Error| Status::unavailable(nakhoda_api::status::chain(&error), 1);
        self.lease(alive).await.map_err(failed)?;
        let living = self.leases().await.map_err(failed)?;
        let pipeline = &self.pipeline;
        if alive {
            default_cidr::keep(pipeline).await?;
            put(pipeline, ("", "services"), service(pipeline, self.port), &["spec", "ports"]).await?;
        }
        if living.is_empty() {
            return Ok(());
        }
        put(pipeline, ("", "endpoints"), endpoints(&living), &["subsets"]).await?;
        put(pipeline, ("discovery.k8s.io", "endpointslices"), slice(&living, self.advertised.port()), &["endpoints"])
            .await
    }

    async fn lease(&self, alive: bool) -> Result<(), Error> {
        let key = self.key.clone();
        let held = BTreeSet::from([self.advertised]);
        let op = if alive {
            Op::Put { key, value: endpoints(&held).to_string().into(), ttl: Some(TTL) }
        } else {
            Op::Delete { key }
        };
        self.pipeline.storage().store().commit(Txn { compares: Vec::new(), ops: vec![op] }).await.map(|_| ())
    }

    /// The advertised addresses of all servers that are alive.
    async fn leases(&self) -> Result<BTreeSet<SocketAddr>, Error> {
        let list = List { prefix: PREFIX.into(), ..List::default() };
        let listing = self.pipeline.storage().store().list(list).await?;
        Ok(listing.entries.iter().filter_map(|entry| advertised(&entry.value)).collect())
    }
}

fn advertised(lease: &[u8]) -> Option<SocketAddr> {
    let lease: Value = serde_json::from_slice(lease).ok()?;
    let subset = &lease["subsets"][0];
    let ip = subset["addresses"][0]["ip"].as_str()?.parse().ok()?;
    Some(SocketAddr::new(ip, u16::try_from(subset["ports"][0]["port"].as_u64()?).ok()?))
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

/// One subset for each port; there is more than one port only where servers listen on different ones.
fn endpoints(servers: &BTreeSet<SocketAddr>) -> Value {
    let ports: BTreeSet<u16> = servers.iter().map(SocketAddr::port).collect();
    let subset = |port: u16| {
        let addresses: Vec<Value> =
            servers.iter().filter(|s| s.port() == port).map(|s| json!({"ip": s.ip()})).collect();
        json!({"addresses": addresses, "ports": [{"name": "https", "port": port, "protocol": "TCP"}]})
    };
    json!({
        "kind": "Endpoints",
        "apiVersion": "v1",
        "metadata": {
            "name": NAME, "namespace": NAMESPACE,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": ports.into_iter().map(subset).collect::<Vec<_>>(),
    })
}

/// The servers on one port: a slice has one set of ports.
fn slice(servers: &BTreeSet<SocketAddr>, port: u16) -> Value {
    let same: Vec<IpAddr> = servers.iter().filter(|s| s.port() == port).map(SocketAddr::ip).collect();
    let family = if same.iter().all(IpAddr::is_ipv4) { "IPv4" } else { "IPv6" };
    let endpoints: Vec<Value> =
        same.iter().map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}})).collect();
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
