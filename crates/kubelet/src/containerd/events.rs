//! containerd's own event stream, so that a container's end is known at once. It is only a hint:
//! what is true is asked of CRI afterwards, and a slow relist catches whatever the stream lost.

use containerd_client::events::{TaskExit, TaskOom, TaskStart};
use containerd_client::services::v1::SubscribeRequest;
use containerd_client::services::v1::events_client::EventsClient;
use nakhoda_daemon::Tasks;
use prost::Message;
use tokio::sync::mpsc;
use tonic::transport::Channel;

use super::NAMESPACE;

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The main process of a container, or of a sandbox, started.
    Started(String),
    /// It ended.
    Exited(String),
    /// A process of it was killed for memory.
    OutOfMemory(String),
    /// An image came, changed or went.
    Images,
    /// The stream is new: anything may have happened before.
    Resumed,
}

/// Subscribes for as long as the tasks live, again after each break.
pub fn subscribe(channel: Channel, tasks: &Tasks) -> mpsc::Receiver<Event> {
    let (send, receive) = mpsc::channel(1024);
    tasks.spawn("containerd events", async move {
        loop {
            // The call gives no headers before the first event, so nothing may wait for it to return.
            if let Err(error) = follow(channel.clone(), &send).await {
                tracing::debug!(error = error.message(), "event stream broke");
            }
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            if send.send(Event::Resumed).await.is_err() {
                return;
            }
        }
    });
    receive
}

async fn follow(channel: Channel, send: &mpsc::Sender<Event>) -> Result<(), tonic::Status> {
    let filters = ["/tasks/start", "/tasks/exit", "/tasks/oom", "/images/"]
        .map(|topic| format!("namespace=={NAMESPACE},topic~=\"^{topic}\""));
    let request = SubscribeRequest { filters: filters.to_vec() };
    let mut stream = EventsClient::new(channel).subscribe(request).await?.into_inner();
    while let Some(envelope) = stream.message().await? {
        let value = envelope.event.as_ref().map(|any| any.value.as_slice()).unwrap_or_default();
        if let Some(event) = decode(&envelope.topic, value)
            && send.send(event).await.is_err()
        {
            return Ok(());
        }
    }
    Ok(())
}

fn decode(topic: &str, value: &[u8]) -> Option<Event> {
    match topic {
        "/tasks/start" => TaskStart::decode(value).ok().map(|e| Event::Started(e.container_id)),
        // The exit of an exec has another id than its container.
        "/tasks/exit" => {
            TaskExit::decode(value).ok().filter(|e| e.id == e.container_id).map(|e| Event::Exited(e.container_id))
        }
        "/tasks/oom" => TaskOom::decode(value).ok().map(|e| Event::OutOfMemory(e.container_id)),
        _ => topic.starts_with("/images/").then_some(Event::Images),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_exec_is_not_the_end_of_its_container() {
        let exit =
            |id: &str| TaskExit { container_id: "c".into(), id: id.into(), ..Default::default() }.encode_to_vec();
        assert_eq!(decode("/tasks/exit", &exit("c")), Some(Event::Exited("c".into())));
        assert_eq!(decode("/tasks/exit", &exit("probe")), None);
    }
}
