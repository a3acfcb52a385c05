//! Routes to the pods of other nodes, by way of those nodes' addresses, which this node reaches directly.
//! Our routes carry a protocol number by which they are known; others are left alone.
//! Absent: nodes that are not on one link (they need VXLAN).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Node;
use nakhoda_client::{Informer, Resource};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol};
use rtnetlink::{Handle, RouteMessageBuilder};

/// Ours, of those that the kernel leaves to administrators.
const PROTOCOL: RouteProtocol = RouteProtocol::Other(98);

/// Gateways by destination and prefix length.
type Routes = BTreeMap<(Ipv4Addr, u8), Ipv4Addr>;

/// Follows the nodes for ever.
pub async fn follow(nodes: Informer<Node>, own: String) {
    nodes.synced().await;
    let mut changes = nodes.subscribe();
    let mut applied = None;
    loop {
        let wanted = wanted(&nodes.list().iter().map(|n| &**n).collect::<Vec<_>>(), &own);
        if applied.as_ref() != Some(&wanted) {
            match apply(&wanted).await {
                Ok(()) => applied = Some(wanted),
                Err(error) => tracing::warn!(%error, "routes to other nodes' pods are not as they should be"),
            }
        }
        let pause = if applied.is_some() { 3600 } else { 2 };
        match tokio::time::timeout(std::time::Duration::from_secs(pause), changes.recv()).await {
            Ok(None) => return,
            Ok(Some(_)) => while changes.try_recv().is_ok() {},
            Err(_) => applied = None,
        }
    }
}

/// The routes that there should be.
fn wanted(nodes: &[&Node], own: &str) -> Routes {
    let others = nodes.iter().filter(|node| node.name() != own);
    others.filter_map(|node| Some((destination(node)?, gateway(node)?))).collect()
}

fn destination(node: &Node) -> Option<(Ipv4Addr, u8)> {
    let (address, length) = node.spec.as_ref()?.pod_cidr.as_deref()?.split_once('/')?;
    Some((address.parse().ok()?, length.parse().ok()?))
}

fn gateway(node: &Node) -> Option<Ipv4Addr> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().filter(|a| a.type_ == "InternalIP").find_map(|a| a.address.parse().ok())
}

async fn apply(wanted: &Routes) -> Result<(), rtnetlink::Error> {
    let (connection, handle, _) =
        rtnetlink::new_connection().map_err(|error| rtnetlink::Error::NamespaceError(error.to_string()))?;
    let talk = async {
        let present = present(&handle).await?;
        for (key, message) in &present {
            if !wanted.contains_key(key) {
                handle.route().del(message.clone()).execute().await?;
            }
        }
        for ((address, length), gateway) in wanted {
            let route = RouteMessageBuilder::<Ipv4Addr>::new()
                .destination_prefix(*address, *length)
                .gateway(*gateway)
                .protocol(PROTOCOL)
                .build();
            handle.route().add(route).replace().execute().await?;
            tracing::info!(pods = %format!("{address}/{length}"), %gateway, "route to another node's pods");
        }
        Ok(())
    };
    tokio::select! {
        outcome = talk => outcome,
        () = connection => Ok(()),
    }
}

/// Our routes that there are.
async fn present(handle: &Handle) -> Result<Vec<((Ipv4Addr, u8), RouteMessage)>, rtnetlink::Error> {
    let all: Vec<RouteMessage> =
        handle.route().get(RouteMessageBuilder::<Ipv4Addr>::new().build()).execute().try_collect().await?;
    let destination = |message: &RouteMessage| {
        message.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => {
                Some((*address, message.header.destination_prefix_length))
            }
            _ => None,
        })
    };
    let ours = all.into_iter().filter(|message| message.header.protocol == PROTOCOL);
    Ok(ours.filter_map(|message| Some((destination(&message)?, message))).collect())
}

/// The address from which this machine reaches another.
#[must_use]
pub fn own_address(towards: &str, port: u16) -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect((towards, port)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_nodes_pods_are_reached_through_them() {
        let node = |name: &str, cidr: &str, ip: &str| -> Node {
            let status =
                json!({"addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": ip}]});
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"podCIDR": cidr}, "status": status}))
                .expect("a node")
        };
        let (a, b) = (node("a", "10.244.0.0/24", "172.30.0.2"), node("b", "10.244.1.0/24", "172.30.0.3"));
        let routes = wanted(&[&a, &b], "a");
        assert_eq!(
            routes.into_iter().collect::<Vec<_>>(),
            [(("10.244.1.0".parse().expect("an address"), 24), "172.30.0.3".parse().expect("an address"))]
        );
    }
}
