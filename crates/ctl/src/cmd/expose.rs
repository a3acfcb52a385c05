//! `expose`: a Service for what runs in a workload, a pod or another Service.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::cluster::items;
use crate::report::Writing;
use crate::targets::{self, Item, Select};
use crate::{Context, Error};

/// Expose a resource as a new service
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ctl expose deployment hello-flask --type=LoadBalancer --port=5000")]
pub struct Args {
    /// TYPE NAME or TYPE/NAME
    #[arg(required = true)]
    what: Vec<String>,
    /// The port of the service; default: those of the containers
    #[arg(long)]
    port: Option<u16>,
    /// Number or name of the port on the container; default: the same
    #[arg(long)]
    target_port: Option<String>,
    /// TCP, UDP or SCTP
    #[arg(long, default_value = "TCP")]
    protocol: String,
    /// ClusterIP, NodePort, LoadBalancer or ExternalName
    #[arg(long = "type")]
    type_: Option<String>,
    /// Name of the service; default: that of the resource
    #[arg(long)]
    name: Option<String>,
    /// Labels to select pods by; default: those of the resource's own selector
    #[arg(long)]
    selector: Option<String>,
    /// Labels of the service; default: those of the resource
    #[arg(long, short)]
    labels: Option<String>,
    /// Address inside the cluster; None for a headless service
    #[arg(long)]
    cluster_ip: Option<String>,
    /// An additional address
    #[arg(long)]
    external_ip: Option<String>,
    /// Address of the load balancer
    #[arg(long)]
    load_balancer_ip: Option<String>,
    /// None or ClientIP
    #[arg(long)]
    session_affinity: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let found = targets::items(&cluster, &args.what, &crate::manifest::Files::default(), &Select::default()).await?;
    let [item] = found.as_slice() else { return Err(Error::Usage("expose takes one resource".into())) };
    let object = item.get(&cluster).await?;
    let mut service = service(&args, &object)?;
    service["metadata"]["namespace"] = item.namespace.clone().into();
    let service = Item::of(&cluster, service)?;
    let made = super::create::make(&cluster, &service, &args.writing).await?;
    report.done(&service.resource, &made, "exposed")?;
    Ok(ExitCode::SUCCESS)
}

fn service(args: &Args, object: &Value) -> Result<Value, Error> {
    let selector = match &args.selector {
        Some(text) => pairs(text)?,
        None => selector(object)?,
    };
    let labels = match &args.labels {
        Some(text) => pairs(text)?,
        None => object["metadata"]["labels"].as_object().cloned().unwrap_or_default(),
    };
    let mut spec = json!({"ports": ports(args, object)?, "selector": selector});
    let options = [
        ("type", &args.type_),
        ("clusterIP", &args.cluster_ip),
        ("loadBalancerIP", &args.load_balancer_ip),
        ("sessionAffinity", &args.session_affinity),
    ];
    for (field, value) in options {
        if let Some(value) = value {
            spec[field] = value.clone().into();
        }
    }
    if let Some(address) = &args.external_ip {
        spec["externalIPs"] = json!([address]);
    }
    let name = args.name.clone().unwrap_or_else(|| object["metadata"]["name"].as_str().unwrap_or_default().into());
    let mut metadata = json!({"name": name});
    if !labels.is_empty() {
        metadata["labels"] = labels.into();
    }
    Ok(json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}))
}

/// The ports that are asked for, or those of all containers, or those of the Service.
fn ports(args: &Args, object: &Value) -> Result<Vec<Value>, Error> {
    let target = args.target_port.as_ref().map(|t| t.parse::<u16>().map_or_else(|_| json!(t), |number| json!(number)));
    let port = |port: u64, protocol: &str, name: Option<String>| {
        let mut value = json!({"port": port, "protocol": protocol, "targetPort": target.clone().unwrap_or_else(|| port.into())});
        if let Some(name) = name {
            value["name"] = name.into();
        }
        value
    };
    if let Some(number) = args.port {
        return Ok(vec![port(number.into(), &args.protocol, None)]);
    }
    let containers = items(object, "/spec/template/spec/containers").chain(items(object, "/spec/containers"));
    let declared = containers.flat_map(|container| items(container, "/ports")).filter_map(|port| Some((port["containerPort"].as_u64()?, port)));
    let served = items(object, "/spec/ports").filter_map(|port| Some((port["port"].as_u64()?, port)));
    let found: Vec<(u64, &Value)> = declared.chain(served).collect();
    if found.is_empty() {
        return Err(Error::Usage("couldn't find port via --port flag or introspection".into()));
    }
    let several = found.len() > 1;
    let all = found.iter().enumerate().map(|(index, (number, declared))| {
        port(*number, declared["protocol"].as_str().unwrap_or("TCP"), several.then(|| format!("port-{}", index + 1)))
    });
    Ok(all.collect())
}

/// Labels that select the pods: the workload's, the Service's, or the pod's own.
fn selector(object: &Value) -> Result<Map<String, Value>, Error> {
    let kind = object["kind"].as_str().unwrap_or_default();
    if items(object, "/spec/selector/matchExpressions").next().is_some() {
        return Err(Error::Usage("couldn't convert expressions - --selector is needed".into()));
    }
    let selector = match kind {
        "Pod" => &object["metadata"]["labels"],
        "Service" | "ReplicationController" => &object["spec"]["selector"],
        "Deployment" | "ReplicaSet" => &object["spec"]["selector"]["matchLabels"],
        _ => return Err(Error::Usage(format!("cannot expose a {kind}"))),
    };
    match selector.as_object() {
        Some(labels) if !labels.is_empty() => Ok(labels.clone()),
        _ => Err(Error::Usage("couldn't retrieve selectors via --selector flag or introspection: it has no labels".into())),
    }
}

fn pairs(text: &str) -> Result<Map<String, Value>, Error> {
    let pair = |part: &str| match part.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), Value::from(value))),
        _ => Err(Error::Usage(format!("unexpected label spec: {part}"))),
    };
    text.split(',').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn exposed(line: &str, object: &Value) -> Result<Value, Error> {
        service(&Line::parse_from(line.split(' ')).args, object)
    }

    #[test]
    fn a_deployment_is_exposed_by_its_selector() {
        let object = json!({"kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": [{"ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]}]}}}});
        let service = exposed("expose deployment web --type=LoadBalancer --port=5000", &object).expect("a service");
        assert_eq!(service["spec"], json!({"ports": [{"port": 5000, "protocol": "TCP", "targetPort": 5000}], "selector": {"app": "web"}, "type": "LoadBalancer"}));
        let service = exposed("expose deployment web --target-port=http", &object).expect("a service");
        assert_eq!(service["spec"]["ports"][1], json!({"port": 53, "protocol": "UDP", "targetPort": "http", "name": "port-2"}));
    }

    #[test]
    fn without_ports_there_is_no_service() {
        let object = json!({"kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {}});
        assert!(exposed("expose pod web", &object).is_err());
    }
}
