//! `port-forward`: local ports that lead to a pod.

use std::net::IpAddr;
use std::process::ExitCode;

use futures::StreamExt;
use futures::future::select_all;
use futures::stream::FuturesUnordered;
use nakhoda_client::{Client, Duplex};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::{items, text};
use crate::stream::{self, Place};
use crate::{Cluster, Context, Error, pods, targets};

const CHUNK: usize = 32 << 10;

/// Forward local ports to a pod
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl port-forward svc/web 8080:80\n  ctl port-forward web-0 :5000")]
pub struct Args {
    /// POD or TYPE/NAME
    #[arg(value_name = "POD | TYPE/NAME")]
    what: String,
    /// PORT, LOCAL:REMOTE, or :REMOTE for any local port
    #[arg(required = true, value_name = "[LOCAL:]REMOTE")]
    ports: Vec<String>,
    /// Local addresses to listen on
    #[arg(long, value_delimiter = ',', default_value = "localhost")]
    address: Vec<String>,
}

/// A local port and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    local: u16,
    remote: u16,
}

/// The way to one port of a pod.
#[derive(Clone)]
struct Way {
    client: Client,
    namespace: String,
    pod: String,
    port: u16,
}

/// Runs the command: it ends by a signal, or when the pod is gone.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let item = targets::one(&cluster, &args.what, "pods")?;
    let object = item.get(&cluster).await?;
    let pod = pods::best(&cluster, &item).await?;
    let phase = text(&pod, "/status/phase");
    if phase != "Running" {
        return Err(Error::Usage(format!("unable to forward port because pod is not running. Current status={phase}")));
    }
    let mut serving = Vec::new();
    for word in &args.ports {
        let pair = pair(word, &object, &pod)?;
        let way = Way {
            client: cluster.client.clone(),
            namespace: text(&pod, "/metadata/namespace").into(),
            pod: text(&pod, "/metadata/name").into(),
            port: pair.remote,
        };
        for address in addresses(&args.address)? {
            serving.push(Box::pin(serve(listen(address, &pair).await?, way.clone())));
        }
    }
    let (failure, ..) = select_all(serving).await;
    Err(failure)
}

async fn listen(address: IpAddr, pair: &Pair) -> Result<TcpListener, Error> {
    let failed = |source| Error::Local { what: format!("unable to listen on port {}", pair.local), source };
    let listener = TcpListener::bind((address, pair.local)).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    crate::say!("Forwarding from {bound} -> {}", pair.remote);
    Ok(listener)
}

async fn serve(listener: TcpListener, way: Way) -> Error {
    let port = listener.local_addr().map_or(0, |address| address.port());
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    crate::say!("Handling connection for {port}");
                    connections.push(carry(socket, &way));
                }
                Err(source) => return Error::Local { what: "lost connection".into(), source },
            },
            Some(outcome) = connections.next() => if let Err(error) = outcome {
                eprintln!("an error occurred forwarding {port} -> {}: {}", way.port, crate::error::sentence(&error));
            },
        }
    }
}

/// Carries one connection: channel 0 has its bytes, channel 1 its failure.
async fn carry(socket: TcpStream, way: &Way) -> Result<(), Error> {
    let place = Place { resource: "pods", namespace: &way.namespace, name: &way.pod, subresource: "portforward" };
    let Duplex { send, mut recv } = stream::open(&way.client, place, &[("ports", way.port.to_string())]).await?;
    let (mut reader, mut writer) = socket.into_split();
    let towards = async move {
        // opens the connection, even if the server speaks first
        let mut open = send.send(stream::frame(0, bytes::Bytes::new())).await.is_ok();
        let mut buffer = vec![0; CHUNK];
        while open {
            match reader.read(&mut buffer).await {
                Ok(count @ 1..) => open = send.send(stream::frame(0, buffer[..count].to_vec())).await.is_ok(),
                _ => break,
            }
        }
        drop(send.send(stream::closing(0)).await);
        // the other side may have more to say
        send.closed().await;
    };
    let back = async move {
        while let Some(frame) = recv.next().await {
            let frame = frame?;
            if frame.channel == 1 && !frame.data.is_empty() {
                return Err(Error::Usage(String::from_utf8_lossy(&frame.data).into_owned()));
            }
            // a local program that has gone away ends the connection
            if frame.close || writer.write_all(&frame.data).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    tokio::select! {
        () = towards => Ok(()),
        outcome = back => outcome,
    }
}

fn addresses(names: &[String]) -> Result<Vec<IpAddr>, Error> {
    let one = |name: &String| match name.as_str() {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        name => name.parse().map_err(|_| Error::Usage(format!("{name} is not a valid IP"))),
    };
    names.iter().map(one).collect()
}

/// `LOCAL:REMOTE`; what stands for a Service's port is the pod's.
fn pair(word: &str, object: &Value, pod: &Value) -> Result<Pair, Error> {
    let (local, remote) = word.split_once(':').unwrap_or((word, word));
    let invalid = || Error::Usage(format!("invalid port format {word:?}; write LOCAL:REMOTE or PORT"));
    let remote_port = if object["kind"] == "Service" { target(object, remote, pod)? } else { named(pod, remote).ok_or_else(invalid)? };
    let local = match local {
        "" => 0,
        text => match text.parse() {
            Ok(number) => number,
            Err(_) if local == remote => remote_port,
            Err(_) => return Err(invalid()),
        },
    };
    Ok(Pair { local, remote: remote_port })
}

/// A number, or the port of this name of a container.
fn named(pod: &Value, port: &str) -> Option<u16> {
    let declared = || {
        let ports = items(pod, "/spec/containers").flat_map(|container| items(container, "/ports"));
        ports.into_iter().find(|p| p["name"] == port).and_then(|p| p["containerPort"].as_u64()?.try_into().ok())
    };
    port.parse().ok().filter(|number| *number != 0).or_else(declared)
}

fn target(service: &Value, port: &str, pod: &Value) -> Result<u16, Error> {
    let name = text(service, "/metadata/name");
    let found = items(service, "/spec/ports").find(|p| pods::is_port(p, port));
    let found = found.ok_or_else(|| Error::Usage(format!("Service {name} does not have a service port {port}")))?;
    let target = match &found["targetPort"] {
        Value::Null => found["port"].to_string(),
        other => crate::describe::values::scalar(other),
    };
    named(pod, &target).ok_or_else(|| Error::Usage(format!("the pod has no port {target:?}, which Service {name} names")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ports_are_read_and_those_of_services_lead_to_the_pod() {
        let pod = json!({"kind": "Pod", "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 5000}]}]}});
        let pair_of = |word, object: &Value| pair(word, object, &pod).map(|p| (p.local, p.remote)).ok();
        assert_eq!(pair_of("8080:5000", &pod), Some((8080, 5000)));
        assert_eq!(pair_of("5000", &pod), Some((5000, 5000)));
        assert_eq!(pair_of(":http", &pod), Some((0, 5000)));
        assert_eq!(pair_of("x:y", &pod), None);
        let service = json!({"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": "http"}]}});
        assert_eq!(pair_of("8080:80", &service), Some((8080, 5000)));
        assert_eq!(pair_of("81", &service), None);
    }
}
