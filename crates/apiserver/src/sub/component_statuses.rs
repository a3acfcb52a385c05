//! `componentstatuses`: asks etcd, the scheduler and the controller-manager how they are
//! (`pkg/registry/core/componentstatus`). The latter two are asked on the loopback, where their health is served.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use nakhoda_api::selector::{FieldSelector, LabelSelector, SelectorError};
use nakhoda_api::{GroupResource, Object, Status};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Handler;
use crate::request::{Action, ListOptions};
use crate::response::Response;
use crate::verb::Call;

const NAMES: [&str; 3] = ["controller-manager", "etcd-0", "scheduler"];
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer answers are no answers to a question of health.
const LONGEST: u64 = 64 << 10;

/// The handler.
pub struct ComponentStatuses;

/// What a component said: whether it is well, its words, and why it could not be asked.
struct Health {
    well: bool,
    message: String,
    error: String,
}

impl Handler for ComponentStatuses {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let object = match action {
                Action::Get { .. } if NAMES.contains(&call.target.name.as_str()) => one(call, &call.target.name).await,
                Action::Get { .. } => {
                    return Err(Status::not_found(&GroupResource::new("", "componentstatus"), &call.target.name));
                }
                Action::List(options) => all(call, &options).await?,
                _ => return Err(call.unsupported("watch")),
            };
            let object = Object::from_value(object).map_err(|error| Status::internal(&error))?;
            Ok(Response::new(call.object(object, false)))
        })
    }
}

async fn all(call: &Call, options: &ListOptions) -> Result<Value, Status> {
    let bad = |error: SelectorError| Status::bad_request(error.to_string());
    let (labels, fields) = (LabelSelector::parse(&options.labels), FieldSelector::parse(&options.fields));
    let (labels, fields) = (labels.map_err(bad)?, fields.map_err(bad)?);
    // they have no labels, and no field but their name
    let wanted = NAMES.iter().filter(|name| {
        labels.matches(&BTreeMap::<String, String>::new()) && fields.matches(&[("metadata.name", **name)])
    });
    let mut items = join_all(wanted.map(|name| one(call, name))).await;
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.retain(|key, _| key != "kind" && key != "apiVersion");
    }
    Ok(json!({"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}, "items": items}))
}

async fn one(call: &Call, name: &str) -> Value {
    let health = match name {
        "etcd-0" => etcd(call).await,
        "scheduler" => daemon(10259).await,
        _ => daemon(10257).await,
    };
    let mut condition = json!({"type": "Healthy", "status": if health.well { "True" } else { "False" }});
    for (field, text) in [("message", health.message), ("error", health.error)] {
        if !text.is_empty() {
            condition[field] = text.into();
        }
    }
    json!({"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}, "conditions": [condition]})
}

/// A linearizable read: there is a leader and a quorum.
async fn etcd(call: &Call) -> Health {
    let key = call.key("health");
    let read = call.pipeline.storage().store().get(&key);
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(_)) => Health { well: true, message: "ok".into(), error: String::new() },
        Ok(Err(error)) => Health { well: false, message: String::new(), error: error.to_string() },
        Err(_) => Health { well: false, message: String::new(), error: "context deadline exceeded".into() },
    }
}

async fn daemon(port: u16) -> Health {
    let url = format!("http://127.0.0.1:{port}/healthz");
    let failed = |why: String| Health { well: false, message: format!("Get {url:?}: {why}"), error: String::new() };
    match tokio::time::timeout(PATIENCE, ask(port)).await {
        Ok(Ok((200, message))) => Health { well: true, message, error: String::new() },
        Ok(Ok((code, _))) => {
            let message = format!("HTTP probe failed with statuscode: {code}");
            Health { well: false, message, error: String::new() }
        }
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            failed(format!("dial tcp 127.0.0.1:{port}: connect: connection refused"))
        }
        Ok(Err(error)) => failed(error.to_string()),
        Err(_) => failed("context deadline exceeded".into()),
    }
}

/// The code and the body of the answer.
async fn ask(port: u16) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes).await?;
    let answer = String::from_utf8_lossy(&bytes);
    parse(&answer).ok_or_else(|| std::io::Error::other("malformed HTTP response"))
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    Some((code, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_code_and_a_body() {
        assert_eq!(parse("HTTP/1.0 200 OK\r\na: b\r\n\r\nok"), Some((200, "ok".into())));
        assert_eq!(parse("SSH-2.0-x\r\n"), None);
    }

    #[tokio::test]
    async fn nobody_at_the_port_is_not_well() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let health = daemon(port).await;
        assert!(!health.well && health.message.ends_with("connect: connection refused"), "{}", health.message);
    }
}
