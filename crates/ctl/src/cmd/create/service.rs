//! `create service`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::report::Writing;
use crate::{Context, Error};

/// Create a service that selects the pods of the label app=NAME
#[derive(Debug, clap::Args)]
#[command(visible_alias = "svc")]
pub struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, clap::Subcommand)]
enum Kind {
    /// With an address inside the cluster
    Clusterip(Common),
    /// With a port on every node too
    Nodeport(Common),
    /// With an address outside too
    Loadbalancer(Common),
    /// An alias of a DNS name
    Externalname(Alias),
}

#[derive(Debug, clap::Args)]
struct Common {
    name: String,
    /// PORT or PORT:TARGET (repeat, or separate by commas)
    #[arg(long = "tcp", value_delimiter = ',', value_name = "PORT[:TARGET]")]
    ports: Vec<String>,
    /// The address inside the cluster; None for a headless service
    #[arg(long)]
    clusterip: Option<String>,
    /// The port on the nodes
    #[arg(long)]
    node_port: Option<u16>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
struct Alias {
    name: String,
    /// The DNS name
    #[arg(long)]
    external_name: String,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (writing, object) = match args.kind {
        Kind::Clusterip(common) => (common.writing.clone(), object(&common, "ClusterIP")?),
        Kind::Nodeport(common) => (common.writing.clone(), object(&common, "NodePort")?),
        Kind::Loadbalancer(common) => (common.writing.clone(), object(&common, "LoadBalancer")?),
        Kind::Externalname(alias) => {
            let spec = json!({"type": "ExternalName", "externalName": alias.external_name, "selector": {"app": alias.name}});
            (alias.writing, service(&alias.name, spec))
        }
    };
    super::submit(context, &writing, object).await
}

fn object(args: &Common, type_: &str) -> Result<Value, Error> {
    let headless = args.clusterip.as_deref() == Some("None");
    if args.ports.is_empty() && !headless {
        return Err(Error::Usage("at least one tcp port specifier must be provided".into()));
    }
    let ports = args.ports.iter().map(|text| port(text, args.node_port)).collect::<Result<Vec<_>, _>>()?;
    let mut spec = json!({"type": type_, "selector": {"app": args.name}, "ports": ports});
    if let Some(address) = &args.clusterip {
        spec["clusterIP"] = address.clone().into();
    }
    Ok(service(&args.name, spec))
}

fn service(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec})
}

fn port(text: &str, node_port: Option<u16>) -> Result<Value, Error> {
    let (port, target) = text.split_once(':').unwrap_or((text, text));
    let port: u16 = port.parse().map_err(|_| Error::Usage(format!("{text:?} is not PORT or PORT:TARGET")))?;
    let target = target.parse::<u16>().map_or_else(|_| json!(target), |number| json!(number));
    let mut value = json!({"name": text.replace(':', "-"), "port": port, "protocol": "TCP", "targetPort": target});
    if let Some(node_port) = node_port {
        value["nodePort"] = node_port.into();
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_leads_to_itself_or_to_another() {
        assert_eq!(port("80", None).expect("a port")["targetPort"], 80);
        assert_eq!(port("80:web", None).expect("a port")["targetPort"], "web");
        assert!(port("x", None).is_err());
    }
}
