//! The way to the kubelets: their `Node` service and their HTTPS paths, dialled with this server's
//! client certificate. One channel for each node, made when first needed.
//!
//! Nothing here assumes a route to pods: what goes to a pod goes through the kubelet that runs it.

pub mod channels;
pub mod locate;
pub mod tunnel;
pub mod usage;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use nakhoda_api::Status;
use nakhoda_daemon::tasks::Tasks;
use nakhoda_daemon::tls::{self, Files, TlsError};
use nakhoda_rpc::transport::{Address, Connector, Tls};
use nakhoda_rpc::v1::node_client::NodeClient;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tonic::transport::Channel;

/// Where a kubelet listens unless its Node says otherwise.
const PORT: u16 = 10250;
/// Channels that are kept; the nodes of a cluster come and go.
const MAX_CHANNELS: usize = 8192;

/// Dials kubelets. Cheap to clone.
#[derive(Clone)]
pub struct Kubelets {
    inner: Arc<Inner>,
}

struct Inner {
    grpc: Arc<dyn Tls>,
    http: Arc<dyn Tls>,
    tasks: Tasks,
    channels: Mutex<HashMap<Place, Channel>>,
}

/// Where a kubelet is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The node's name, which its certificate carries.
    pub name: String,
    /// Its address.
    pub host: String,
    /// The kubelet's port.
    pub port: u16,
}

// === impl Place ===

impl Place {
    /// What a Node says of its kubelet: the internal address, or else any; the declared port.
    pub fn of(node: &Node) -> Result<Self, Status> {
        let name = node.metadata.name.clone().unwrap_or_default();
        let status = node.status.as_ref();
        let addresses = status.and_then(|s| s.addresses.as_deref()).unwrap_or_default();
        let address = |kind: &str| addresses.iter().find(|a| a.type_ == kind).map(|a| a.address.clone());
        let host =
            ["InternalIP", "ExternalIP", "InternalDNS", "ExternalDNS", "Hostname"].iter().find_map(|k| address(k));
        let host = host.ok_or_else(|| Status::unavailable(format!("node {name} has no address"), 0))?;
        let port = status
            .and_then(|s| s.daemon_endpoints.as_ref()?.kubelet_endpoint.as_ref())
            .and_then(|e| u16::try_from(e.port).ok())
            .filter(|port| *port != 0)
            .unwrap_or(PORT);
        Ok(Self { name, host, port })
    }

    fn connector(&self, tls: &Arc<dyn Tls>) -> Result<Connector, Status> {
        let address = Address { host: self.host.clone(), port: self.port };
        Connector::new(vec![address], tls.clone(), Some(&self.name)).map_err(|e| Status::internal(&e))
    }
}

// === impl Kubelets ===

impl Kubelets {
    /// A dialler that shows the certificate in `cert` and `key` and believes kubelets that `ca` signed.
    pub fn load(cert: &Path, key: &Path, ca: &Path, tasks: &Tasks) -> Result<Self, TlsError> {
        let identity = Files::load(cert, key)?;
        identity.keep_fresh(tasks);
        let config = |alpn: &[u8]| -> Result<Arc<dyn Tls>, TlsError> {
            Ok(Arc::new(Arc::new(tls::client_by(ca, identity.clone(), &[alpn])?)))
        };
        let inner = Inner {
            grpc: config(b"h2")?,
            http: config(b"http/1.1")?,
            tasks: tasks.clone(),
            channels: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The `Node` service of a kubelet. Connects when first used.
    pub fn node(&self, place: &Place) -> Result<NodeClient<Channel>, Status> {
        let mut channels = self.inner.channels.lock();
        let channel = match channels.get(place) {
            Some(channel) => channel.clone(),
            None => {
                if channels.len() >= MAX_CHANNELS {
                    channels.clear();
                }
                let channel = place.connector(&self.inner.grpc)?.channel();
                channels.insert(place.clone(), channel.clone());
                channel
            }
        };
        let client = NodeClient::new(channel);
        Ok(client
            .max_decoding_message_size(nakhoda_rpc::MAX_MESSAGE)
            .max_encoding_message_size(nakhoda_rpc::MAX_MESSAGE))
    }

    /// A connection to the HTTPS paths of a kubelet.
    pub async fn http(&self, place: &Place) -> Result<TlsStream<TcpStream>, Status> {
        place.connector(&self.inner.http)?.connect().await.map_err(|error| {
            Status::unavailable(format!("error trying to reach kubelet of node {}: {error}", place.name), 0)
        })
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.inner.tasks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(status: serde_json::Value) -> Node {
        serde_json::from_value(json!({"metadata": {"name": "n1"}, "status": status})).expect("a node")
    }

    #[test]
    fn the_internal_address_and_the_declared_port_are_used() {
        let node = node(json!({
            "addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "10.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10251}},
        }));
        let place = Place::of(&node).expect("reachable");
        assert_eq!((place.name.as_str(), place.host.as_str(), place.port), ("n1", "10.0.0.1", 10251));
    }

    #[test]
    fn a_node_without_an_address_cannot_be_reached() {
        assert!(Place::of(&node(json!({}))).is_err_and(|s| s.code == 503));
        let place = Place::of(&node(json!({"addresses": [{"type": "Hostname", "address": "n1"}]}))).expect("reachable");
        assert_eq!(place.port, 10250);
    }
}
