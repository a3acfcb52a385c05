//! `open`: a Service's address for a browser.

use std::io::IsTerminal;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nakhoda_client::Selection;
use serde_json::Value;

use crate::cluster::{items, text};
use crate::{Cluster, Context, Error, pods, targets, wait};

/// Print the URL of a service, and open it if there is a browser
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    #[arg(value_name = "SERVICE")]
    service: String,
    /// Number or name of the port; default: the first
    #[arg(long)]
    port: Option<String>,
    /// Only print
    #[arg(long)]
    print: bool,
    /// How long to wait for the load balancer's address
    #[arg(long, value_parser = wait::duration, default_value = "10s")]
    timeout: Duration,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let item = targets::one(&cluster, &args.service, "services")?;
    let mut service = item.get(&cluster).await?;
    if text(&service, "/spec/type") == "LoadBalancer" && address(&service).is_none() {
        let ready = |object: Option<&Value>| {
            let object = object.ok_or_else(|| Error::Usage("the service has been deleted".into()))?;
            service = object.clone();
            Ok(address(object).is_some())
        };
        wait::until(&cluster, &item, Some(args.timeout), ready).await?;
    }
    let nodes = cluster.list(cluster.mapping.find("nodes")?, "", &Selection::default()).await?;
    let url = url(&service, args.port.as_deref(), &nodes)?;
    crate::say!("{url}");
    if !args.print && std::io::stdout().is_terminal() && has_display() {
        // the URL is printed; a browser that cannot be started is no failure
        drop(Command::new("xdg-open").arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn());
    }
    Ok(ExitCode::SUCCESS)
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The load balancer's address.
fn address(service: &Value) -> Option<String> {
    let entry = items(service, "/status/loadBalancer/ingress").next()?;
    let found = ["/ip", "/hostname"].iter().map(|path| text(entry, path)).find(|value| !value.is_empty());
    found.map(bracketed)
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

/// By the load balancer, else by the node port of a node.
fn url(service: &Value, port: Option<&str>, nodes: &[Value]) -> Result<String, Error> {
    let name = text(service, "/metadata/name");
    let is = |p: &&Value| port.is_none_or(|port| pods::is_port(p, port));
    let chosen = items(service, "/spec/ports").find(is);
    let chosen = chosen.ok_or_else(|| Error::Usage(format!("service {name:?} has no such port")))?;
    let secure = chosen["port"] == 443 || chosen["name"] == "https" || chosen["appProtocol"] == "https";
    let scheme = if secure { "https" } else { "http" };
    let standard = if secure { 443 } else { 80 };
    let (host, number) = match (address(service), chosen["nodePort"].as_u64()) {
        (Some(address), _) => (address, chosen["port"].as_u64().unwrap_or(0)),
        (None, Some(number)) => {
            let none = || Error::Usage("no node has an address".into());
            (nodes.iter().find_map(node_address).ok_or_else(none)?, number)
        }
        (None, None) => {
            let kind = text(service, "/spec/type");
            return Err(Error::Usage(format!(
                "service {name:?} is of type {kind}, which has no address outside the cluster; use: ctl port-forward service/{name} {}",
                chosen["port"]
            )));
        }
    };
    Ok(if number == standard { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{number}") })
}

fn node_address(node: &Value) -> Option<String> {
    let of = |kind: &str| items(node, "/status/addresses").find(|a| a["type"] == kind).map(|a| bracketed(text(a, "/address")));
    of("ExternalIP").or_else(|| of("InternalIP"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_best_address_is_taken() {
        let node = json!({"status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.9"}]}});
        let mut service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 5000, "nodePort": 30000}]}});
        let nodes = [node];
        assert_eq!(url(&service, None, &nodes).expect("a URL"), "http://10.0.0.9:30000");
        service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}});
        assert_eq!(url(&service, None, &nodes).expect("a URL"), "http://10.0.0.1:5000");
        assert!(url(&service, Some("81"), &nodes).is_err());
        let inner = json!({"metadata": {"name": "s"}, "spec": {"type": "ClusterIP", "ports": [{"port": 80}]}});
        assert!(url(&inner, None, &nodes).is_err());
    }
}
