//! [`Recorder`]: tells people what a daemon did, as core/v1 Events.
//!
//! Recording never waits and never fails the caller: events beyond what the queue holds, or beyond
//! what one object may cause, are dropped and counted in the log.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event, ObjectReference};
use nakhoda_api::status::chain;
use nakhoda_daemon::Tasks;
use tokio::sync::mpsc;

use crate::api::Patch;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::runtime::clock;

pub mod correlate;

use correlate::{Correlator, Occurrence, Source, Write};

/// Events that may wait to be written.
const WAITING: usize = 1000;
/// How often a write is tried while the API server cannot be reached.
const ATTEMPTS: u32 = 12;
const PAUSE: std::time::Duration = std::time::Duration::from_secs(10);

/// Whether people should worry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// All is well.
    Normal,
    /// Something may need a person.
    Warning,
}

/// Records events of one component. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    sender: mpsc::Sender<Occurrence>,
    source: Arc<Source>,
}

// === impl Recorder ===

impl Recorder {
    /// Writes in a task of its own. `host` is empty for what runs on no node.
    #[must_use]
    pub fn new(client: Client, tasks: &Tasks, component: &str, host: &str) -> Self {
        let (sender, occurrences) = mpsc::channel(WAITING);
        let source = Arc::new(Source { component: component.into(), host: host.into() });
        tasks.spawn("events", write_all(client, occurrences));
        Self { sender, source }
    }

    /// Records that something happened to an object.
    pub fn event(&self, about: &ObjectReference, kind: EventType, reason: &str, message: impl Into<String>) {
        let occurrence = Occurrence {
            source: self.source.clone(),
            about: about.clone(),
            kind,
            reason: reason.into(),
            message: message.into(),
            at: clock::now(),
        };
        if self.sender.try_send(occurrence).is_err() {
            tracing::warn!(reason, "event dropped: too many are waiting to be written");
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        })
    }
}

async fn write_all(client: Client, mut occurrences: mpsc::Receiver<Occurrence>) {
    let mut correlator = Correlator::default();
    while let Some(occurrence) = occurrences.recv().await {
        let Some(write) = correlator.observe(&occurrence) else {
            tracing::debug!(reason = occurrence.reason, "event dropped: its object causes too many");
            continue;
        };
        if let Err(error) = persist(&client, write).await {
            tracing::warn!(reason = occurrence.reason, error = chain(&error), "event not written");
        }
    }
}

async fn persist(client: &Client, write: Write) -> Result<()> {
    let mut attempt = 1;
    loop {
        match once(client, &write).await {
            Err(error) if unreachable(&error) && attempt < ATTEMPTS => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// An event that is to be counted up may have expired: then it is made anew.
async fn once(client: &Client, write: &Write) -> Result<()> {
    let namespace = write.event.metadata.namespace.as_deref().unwrap_or_default();
    let api = client.namespaced::<Event>(namespace);
    if let Some(body) = &write.patch {
        let name = write.event.metadata.name.as_deref().unwrap_or_default();
        match api.patch(name, &Patch::merge(body)).await {
            Err(error) if error.is_not_found() => {}
            outcome => return outcome.map(drop),
        }
    }
    api.create(&write.event).await.map(drop)
}

fn unreachable(error: &Error) -> bool {
    error.status().is_some_and(|s| s.code == 503 || s.code == 504 || s.code == 429)
}
