//! Events to a webhook (`--audit-webhook-config-file`), many at a time (upstream's mode `batch`).
//!
//! A batch goes out when it is full or old enough; one that fails is tried again a few times and then lost, which the log
//! tells. When the buffer is full events are lost rather than requests held up.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use nakhoda_daemon::Tasks;
use tokio::sync::mpsc;

use super::{Event, Sink};
use crate::remote::{ConfigError, Failure, Server};

/// How long one try takes at most.
const WITHIN: Duration = Duration::from_secs(30);
/// So many tries, the pause between them growing from the first one.
const TRIES: u32 = 5;
const AGAIN: Duration = Duration::from_secs(1);

/// How events are gathered.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// So many may wait.
    pub buffer: usize,
    /// So many go at a time.
    pub size: usize,
    /// So long the first one waits for others.
    pub wait: Duration,
}

/// The way to a webhook.
pub struct Webhook {
    queue: mpsc::Sender<Box<serde_json::value::RawValue>>,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("answered {0}")]
    Code(http::StatusCode),
}

// === impl Webhook ===

impl Webhook {
    /// To the server of a kubeconfig.
    pub fn open(path: &Path, batching: Batching, tasks: &Tasks) -> Result<Self, ConfigError> {
        let server = Server::from_kubeconfig(path)?;
        let (queue, mut waiting) = mpsc::channel(batching.buffer.max(1));
        tasks.spawn("audit webhook", async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, batching.size).await > 0 {
                let end = tokio::time::Instant::now() + batching.wait;
                while batch.len() < batching.size {
                    let room = batching.size - batch.len();
                    match tokio::time::timeout_at(end, waiting.recv_many(&mut batch, room)).await {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {}
                    }
                }
                deliver(&server, &batch).await;
                batch.clear();
            }
        });
        Ok(Self { queue })
    }
}

impl Sink for Webhook {
    fn take(&self, event: &Event) {
        let Ok(event) = serde_json::value::to_raw_value(event) else { return };
        if self.queue.try_send(event).is_err() {
            tracing::error!("the audit webhook is too slow, an event is lost");
        }
    }
}

async fn deliver(server: &Server, events: &[Box<serde_json::value::RawValue>]) {
    let items: Vec<&str> = events.iter().map(|event| event.get()).collect();
    let body = format!(
        r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{}]}}"#,
        items.join(",")
    );
    let body = Bytes::from(body);
    for attempt in 1..=TRIES {
        let sent = post(server, body.clone()).await;
        let Err(refusal) = sent else { return };
        let error = nakhoda_api::status::chain(&refusal);
        if attempt == TRIES {
            tracing::error!(error, events = events.len(), "audit events were not taken by the webhook and are lost");
            return;
        }
        tracing::warn!(error, "the audit webhook did not take events, trying again");
        tokio::time::sleep(AGAIN * 2u32.pow(attempt - 1)).await;
    }
}

async fn post(server: &Server, body: Bytes) -> Result<(), Refusal> {
    let answer = server.post(body, WITHIN).await?;
    if answer.code.is_success() { Ok(()) } else { Err(Refusal::Code(answer.code)) }
}
