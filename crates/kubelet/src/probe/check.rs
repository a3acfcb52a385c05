//! One asking of one probe, whatever its kind.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::net::TcpStream;

use super::{grpc, http};
use crate::cri::Cri;

/// Whom to ask.
#[derive(Clone, Debug)]
pub struct Target {
    /// The container's specification.
    pub container: Container,
    /// Its id.
    pub id: String,
    /// Address of its pod.
    pub ip: String,
}

/// What the asking gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Success,
    /// Well enough; the text is told.
    Warning(String),
    /// Not well.
    Failure(String),
    /// It could not be asked.
    Broken(String),
}

/// Asks.
pub async fn run(cri: &Cri, target: &Target, probe: &Probe) -> Outcome {
    let timeout = Duration::from_secs(u64::try_from(probe.timeout_seconds.unwrap_or(1).max(1)).unwrap_or(1));
    if let Some(exec) = &probe.exec {
        return command(cri, target, exec.command.clone().unwrap_or_default(), timeout).await;
    }
    if let Some(action) = &probe.http_get {
        return match request(target, action, "kube-probe/1.37") {
            Ok(request) => answer(Box::pin(http::get(&request, timeout)).await),
            Err(why) => Outcome::Broken(why),
        };
    }
    if let Some(action) = &probe.tcp_socket {
        let host = action.host.as_deref().filter(|h| !h.is_empty()).unwrap_or(&target.ip);
        return match port(&action.port, &target.container) {
            Ok(port) => connect(host, port, timeout).await,
            Err(why) => Outcome::Broken(why),
        };
    }
    if let Some(action) = &probe.grpc {
        let port = u16::try_from(action.port).unwrap_or_default();
        let service = action.service.as_deref().unwrap_or_default();
        let asked = Box::pin(grpc::ask(&target.ip, port, service, timeout)).await;
        return asked.map_or_else(Outcome::Failure, |()| Outcome::Success);
    }
    Outcome::Broken(format!("missing probe handler for container {}", target.container.name))
}

/// The request of an HTTP probe or hook.
pub fn request(target: &Target, action: &HTTPGetAction, agent: &'static str) -> Result<http::Request, String> {
    let host = action.host.as_deref().filter(|h| !h.is_empty()).unwrap_or(&target.ip);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let scheme = action.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
    let path = action.path.as_deref().unwrap_or("/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    let port = port(&action.port, &target.container)?;
    let headers = action.http_headers.iter().flatten().map(|h| (h.name.clone(), h.value.clone())).collect();
    Ok(http::Request { url: format!("{scheme}://{host}:{port}{slash}{path}"), headers, agent })
}

/// Connects; the error has Go's wording.
pub async fn dial(host: &str, port: u16) -> Result<TcpStream, String> {
    TcpStream::connect((host, port)).await.map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            std::io::ErrorKind::HostUnreachable => "connect: no route to host".to_owned(),
            std::io::ErrorKind::NetworkUnreachable => "connect: network is unreachable".to_owned(),
            _ => error.to_string(),
        };
        format!("dial tcp {host}:{port}: {why}")
    })
}

async fn command(cri: &Cri, target: &Target, command: Vec<String>, timeout: Duration) -> Outcome {
    let seconds = i64::try_from(timeout.as_secs()).unwrap_or(1);
    match cri.exec_sync(&target.id, command.clone(), seconds).await {
        Ok(done) if done.exit_code == 0 => Outcome::Success,
        Ok(done) => {
            let text = [done.stdout, done.stderr].concat();
            Outcome::Failure(String::from_utf8_lossy(&text).into_owned())
        }
        Err(error) if error.status.code() == tonic::Code::DeadlineExceeded => {
            let words = command.join(" ");
            Outcome::Failure(format!("command timed out: {words:?} timed out after {seconds}s"))
        }
        Err(error) => {
            Outcome::Broken(format!("rpc error: code = {:?} desc = {}", error.status.code(), error.status.message()))
        }
    }
}

fn answer(answer: Result<http::Answer, String>) -> Outcome {
    match answer {
        Ok(http::Answer { code: 200..=299, .. }) => Outcome::Success,
        Ok(http::Answer { code: 300..=399, body }) => {
            Outcome::Warning(format!("Probe terminated redirects, Response body: {body}"))
        }
        Ok(http::Answer { code, .. }) => Outcome::Failure(format!("HTTP probe failed with statuscode: {code}")),
        Err(why) => Outcome::Failure(why),
    }
}

async fn connect(host: &str, port: u16, timeout: Duration) -> Outcome {
    match tokio::time::timeout(timeout, dial(host, port)).await {
        Ok(Ok(_)) => Outcome::Success,
        Ok(Err(why)) => Outcome::Failure(why),
        Err(_) => Outcome::Failure(format!("dial tcp {host}:{port}: i/o timeout")),
    }
}

/// A port by number, or by its name in the container.
fn port(port: &IntOrString, container: &Container) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let named =
                container.ports.iter().flatten().find(|p| p.name.as_ref() == Some(name)).map(|p| p.container_port);
            named.or_else(|| name.parse().ok())
        }
    };
    match number.and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0) {
        Some(number) => Ok(number),
        None => Err(format!("couldn't find port: {port:?} in container {}", container.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn target() -> Target {
        let container = json!({"name": "c", "ports": [{"name": "web", "containerPort": 8080}]});
        Target {
            container: serde_json::from_value(container).expect("a container"),
            id: "i".into(),
            ip: "10.0.0.1".into(),
        }
    }

    #[test]
    fn named_ports_and_bare_paths_make_a_url() {
        let action = serde_json::from_value(json!({"port": "web", "path": "x?y"})).expect("an action");
        assert_eq!(request(&target(), &action, "a").expect("good").url, "http://10.0.0.1:8080/x?y");
        let action = serde_json::from_value(json!({"port": "none"})).expect("an action");
        assert!(request(&target(), &action, "a").is_err());
    }

    #[tokio::test]
    async fn a_closed_port_reads_as_go_says_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("known").port();
        drop(listener);
        let outcome = connect("127.0.0.1", port, Duration::from_secs(1)).await;
        assert_eq!(outcome, Outcome::Failure(format!("dial tcp 127.0.0.1:{port}: connect: connection refused")));
    }
}
