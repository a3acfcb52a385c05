//! Linearizable reads of the store's revision, one for all who wait.

use std::sync::Arc;

use nakhoda_daemon::Tasks;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::store::Store;

type Waiter = oneshot::Sender<Result<u64, Error>>;

/// Asks for revisions.
#[derive(Debug)]
pub(crate) struct Fresh {
    ask: mpsc::UnboundedSender<Waiter>,
}

// === impl Fresh ===

impl Fresh {
    pub(crate) fn start(store: Arc<dyn Store>, tasks: &Tasks) -> Self {
        let (ask, mut asked) = mpsc::unbounded_channel::<Waiter>();
        tasks.spawn("cache revision", async move {
            let mut waiting = Vec::new();
            // Who asks while a read is under way is served by the next one: his read must begin after he asked.
            while asked.recv_many(&mut waiting, usize::MAX).await > 0 {
                let revision = store.revision().await;
                for waiter in waiting.drain(..) {
                    let _ = waiter.send(revision.clone());
                }
            }
        });
        Self { ask }
    }

    /// A revision read that began after this call.
    pub(crate) async fn revision(&self) -> Result<u64, Error> {
        let (waiter, answer) = oneshot::channel();
        let stopped = |_| Error::unavailable("the cache has stopped");
        self.ask.send(waiter).map_err(|_| Error::unavailable("the cache has stopped"))?;
        answer.await.map_err(stopped)?
    }
}
