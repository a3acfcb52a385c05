//! A Service to one of its ready endpoints, picked at random.

use std::sync::Arc;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use nakhoda_api::Status;
use tokio::net::TcpStream;

use super::address::Address;
use super::{allowed, through};
use crate::kubelets::locate;
use crate::response::{Dial, Duplex, ProxyTarget};
use crate::verb::Call;

/// Names the Service in the labels of its slices.
const LABEL: &str = "kubernetes.io/service-name";

/// A ready endpoint behind one port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    address: String,
    port: u16,
    /// Empty if it is outside the cluster.
    node: String,
}

/// Dials an endpoint outside the cluster.
struct Direct {
    address: String,
}

/// Where a request to a Service goes.
pub(super) async fn target(call: &Call, address: &Address) -> Result<ProxyTarget, Status> {
    let name = &address.name;
    let service: Service = locate::fresh(call, "services", name).await?;
    let port = port_name(&service, &address.port)?;
    let slices: Vec<EndpointSlice> = call.pipeline.storage().list(Some(call.namespace()));
    let ready = endpoints(&slices, name, &port);
    if ready.is_empty() {
        return Err(Status::unavailable(format!("no endpoints available for service {:?}", call.target.name), 0));
    }
    let Endpoint { address: ip, port, node } = ready[rand::random_range(0..ready.len())].clone();
    if node.is_empty() {
        let dial = Arc::new(Direct { address: ip });
        return Ok(ProxyTarget { dial, port, tls: address.tls, path: String::new(), prefix: String::new() });
    }
    through(call, locate::place(call, &node)?, ip, port, address.tls)
}

/// The name of the port that is meant: a number is looked up in the Service.
fn port_name(service: &Service, asked: &str) -> Result<String, Status> {
    let Ok(number) = asked.parse::<i32>() else { return Ok(asked.to_owned()) };
    let ports = service.spec.as_ref().and_then(|s| s.ports.as_deref()).unwrap_or_default();
    let name = service.metadata.name.as_deref().unwrap_or_default();
    match ports.iter().find(|p| p.port == number) {
        Some(port) => Ok(port.name.clone().unwrap_or_default()),
        None => Err(Status::unavailable(format!("no service port {number} found for service {name:?}"), 0)),
    }
}

fn endpoints(slices: &[EndpointSlice], service: &str, port: &str) -> Vec<Endpoint> {
    let of_service = |slice: &&EndpointSlice| {
        slice.metadata.labels.as_ref().and_then(|l| l.get(LABEL)).is_some_and(|name| name == service)
    };
    let mut found = Vec::new();
    for slice in slices.iter().filter(of_service) {
        let named = slice.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or_default() == port);
        let Some(number) = named.and_then(|p| p.port).and_then(|p| u16::try_from(p).ok()) else { continue };
        for endpoint in slice.endpoints.iter().flatten() {
            let ready = endpoint.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true);
            let address = endpoint.addresses.first().filter(|a| ready && allowed(a));
            found.extend(address.map(|address| Endpoint {
                address: address.clone(),
                port: number,
                node: endpoint.node_name.clone().unwrap_or_default(),
            }));
        }
    }
    found
}

// === impl Direct ===

impl Dial for Direct {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>> {
        Box::pin(async move {
            let stream = TcpStream::connect((self.address.as_str(), port)).await;
            let stream = stream.map_err(|e| {
                Status::unavailable(format!("error trying to reach service: dial {}:{port}: {e}", self.address), 0)
            })?;
            Ok(Box::new(stream) as Box<dyn Duplex>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn slices() -> Vec<EndpointSlice> {
        serde_json::from_value(json!([{
            "metadata": {"labels": {LABEL: "s"}},
            "addressType": "IPv4",
            "ports": [{"name": "web", "port": 8080}],
            "endpoints": [
                {"addresses": ["10.0.0.1"], "nodeName": "n1"},
                {"addresses": ["10.0.0.2"], "nodeName": "n1", "conditions": {"ready": false}},
                {"addresses": ["169.254.0.1"]},
            ],
        }]))
        .expect("slices")
    }

    #[test]
    fn only_ready_and_allowed_endpoints_of_the_port_count() {
        let expected = [Endpoint { address: "10.0.0.1".into(), port: 8080, node: "n1".into() }];
        assert_eq!(endpoints(&slices(), "s", "web"), expected);
        assert!(endpoints(&slices(), "s", "").is_empty());
        assert!(endpoints(&slices(), "t", "web").is_empty());
    }

    #[test]
    fn a_port_number_is_the_services_not_the_pods() {
        let service: Service = serde_json::from_value(
            json!({"metadata": {"name": "s"}, "spec": {"ports": [{"name": "web", "port": 80}]}}),
        )
        .expect("a service");
        assert_eq!(port_name(&service, "80").as_deref(), Ok("web"));
        assert_eq!(port_name(&service, "web").as_deref(), Ok("web"));
        let error = port_name(&service, "81").expect_err("refused");
        assert_eq!((error.code, error.message.as_str()), (503, r#"no service port 81 found for service "s""#));
    }
}
