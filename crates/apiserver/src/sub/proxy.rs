//! `proxy`: an HTTP request to a pod, to a Service or to a node, through the kubelet that can reach it.

mod address;
mod service;

use std::net::IpAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_rpc::v1::NodeOpen;

use super::Handler;
use crate::kubelets::locate::{self, Located};
use crate::kubelets::tunnel::{Paths, Through};
use crate::request::{Action, Connect, ResourceTarget};
use crate::response::{Answer, Dial, ProxyTarget, Response, Streaming};
use crate::verb::Call;
use address::Address;

/// Finds out where a request goes.
pub struct Proxy;

// === impl Proxy ===

impl Handler for Proxy {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("proxy")) };
            let kind = call.kind.info.singular;
            let address = Address::parse(&call.target.name)
                .ok_or_else(|| Status::bad_request(format!("invalid {kind} request {:?}", call.target.name)))?;
            let mut target = match call.kind.info.plural {
                "pods" => pod(call, &address).await?,
                "services" => service::target(call, &address).await?,
                _ => {
                    // the kubelet sees this server, not the caller
                    if opens_session(&call.target.path) {
                        locate::may_create(call, &connect.method).await?;
                    }
                    node(call, &address)?
                }
            };
            target.path = path(&call.target, &connect);
            target.prefix = prefix(&call.target);
            Ok(Response::new(Answer::Stream(Streaming::Proxy(target))))
        })
    }
}

async fn pod(call: &Call, address: &Address) -> Result<ProxyTarget, Status> {
    let located = Located::of(call, &address.name).await?;
    let first = || {
        let spec = located.pod.spec.as_ref()?;
        let port = spec.containers.iter().flat_map(|c| c.ports.iter().flatten()).next()?;
        u16::try_from(port.container_port).ok()
    };
    let port = match address.port.as_str() {
        "" => first().unwrap_or(address.default_port()),
        text => text.parse().map_err(|_| Status::bad_request(format!("invalid pod request {:?}", call.target.name)))?,
    };
    let ip = located.pod.status.as_ref().and_then(|s| s.pod_ip.clone()).unwrap_or_default();
    if !allowed(&ip) {
        return Err(Status::bad_request("address not allowed"));
    }
    let place = located.place(call)?;
    through(call, place, ip, port, address.tls)
}

fn node(call: &Call, address: &Address) -> Result<ProxyTarget, Status> {
    let place = locate::place(call, &address.name)?;
    let own = address.port.is_empty() || address.port == place.port.to_string();
    if own {
        let port = place.port;
        let dial: Arc<dyn Dial> = Arc::new(Paths { kubelets: locate::kubelets(call)?.clone(), place });
        // the connection speaks TLS already
        return Ok(ProxyTarget { dial, port, tls: false, path: String::new(), prefix: String::new() });
    }
    let port = address
        .port
        .parse()
        .map_err(|_| Status::bad_request(format!("invalid node request {:?}", call.target.name)))?;
    if !allowed(&place.host) {
        return Err(Status::bad_request("address not allowed"));
    }
    let host = place.host.clone();
    through(call, place, host, port, address.tls)
}

/// A target that a kubelet dials.
fn through(
    call: &Call,
    place: crate::kubelets::Place,
    address: String,
    port: u16,
    tls: bool,
) -> Result<ProxyTarget, Status> {
    let open = NodeOpen { address, ..NodeOpen::default() };
    let dial = Arc::new(Through { kubelets: locate::kubelets(call)?.clone(), place, open });
    Ok(ProxyTarget { dial, port, tls, path: String::new(), prefix: String::new() })
}

/// Whether a kubelet's path runs something in a container, or winds about so that nobody knows: whoever may only read
/// must not get there by a websocket, which opens with a GET.
fn opens_session(path: &str) -> bool {
    let path = crate::rest::path::decode(path).to_lowercase();
    let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".").peekable();
    let first = parts.peek().is_some_and(|first| ["attach", "exec", "portforward", "run"].contains(first));
    first || parts.any(|part| part == "..")
}

/// Whether an address may be proxied to: none that only its own host or link has, whichever way it is written. A name
/// is none: what it stands for may have changed when it is dialled.
fn allowed(address: &str) -> bool {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => {
            !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || ip.is_link_local() || ip.is_broadcast())
        }
        Ok(IpAddr::V6(ip)) => {
            !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || ip.is_unicast_link_local())
        }
        Err(_) => false,
    }
}

/// The path behind `proxy` with the query.
fn path(target: &ResourceTarget, connect: &Connect) -> String {
    let mut path = target.path.clone();
    for (index, (name, value)) in connect.parameters.iter().enumerate() {
        path.push(if index == 0 { '?' } else { '&' });
        path.push_str(&format!("{}={}", address::encode(name), address::encode(value)));
    }
    path
}

/// The path up to `proxy`.
fn prefix(target: &ResourceTarget) -> String {
    let namespace = match target.namespace.as_str() {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    format!("/api/{}{namespace}/{}/{}/proxy", target.gvr.version, target.gvr.resource, target.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::GroupVersionResource;

    /// The class of CVE-2022-3294 and CVE-2020-8555: the server made to talk to what only its host can reach.
    #[test]
    fn addresses_of_the_host_and_the_link_are_refused() {
        let mapped = ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1"];
        let plain = ["127.0.0.1", "127.9.9.9", "169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1"];
        let others = ["::1", "::", "fe80::1", "ff02::1", "", "localhost", "metadata.google.internal", "127.1", "0x7f.1"];
        for address in mapped.into_iter().chain(plain).chain(others) {
            assert!(!allowed(address), "{address}");
        }
        assert!(allowed("10.244.0.5") && allowed("fd00::5"));
    }

    /// The class of the `nodes/proxy` findings of 2026 (KEP-2862): a right to read that ran commands by websocket.
    #[test]
    fn a_kubelets_sessions_are_known_whatever_way_they_are_written() {
        for path in ["/exec/d/p/c", "//exec/d/p", "/./Exec/d", "/%65xec/d/p/c", "/attach/x", "/portForward/x", "/run/x", "/pods/../exec"] {
            assert!(opens_session(path), "{path}");
        }
        for path in ["", "/", "/pods", "/logs/exec", "/runningpods", "/metrics", "/stats/summary"] {
            assert!(!opens_session(path), "{path}");
        }
    }

    #[test]
    fn path_and_prefix_are_put_together_again() {
        let target = ResourceTarget {
            gvr: GroupVersionResource::new("", "v1", "services"),
            namespace: "a".into(),
            name: "http:s:80".into(),
            subresource: "proxy".into(),
            path: "/x%20y".into(),
        };
        let connect = Connect {
            method: "get".into(),
            parameters: vec![("q".into(), "a b&c".into()), ("r".into(), String::new())],
            plain: true,
        };
        assert_eq!(path(&target, &connect), "/x%20y?q=a%20b%26c&r=");
        assert_eq!(prefix(&target), "/api/v1/namespaces/a/services/http:s:80/proxy");
    }
}
