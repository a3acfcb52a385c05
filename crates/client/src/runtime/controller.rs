//! [`Reconcile`]: brings the object of one key to rest, and the workers that call it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::status::chain;
use nakhoda_daemon::Tasks;

use super::queue::Queue;
use crate::error::Error;
use crate::key::Key;

/// A control loop over keys. It gets no hint of what changed: it reads caches and is idempotent.
pub trait Reconcile: Send + Sync + 'static {
    /// For logs.
    fn name(&self) -> &'static str;

    /// Does what is still to be done for one key.
    fn reconcile(&self, key: &Key) -> impl Future<Output = Result<Outcome, Error>> + Send;
}

/// When to come back to a key by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not before something changes.
    Done,
    /// In a while.
    After(Duration),
}

/// Works a queue with so many workers until the process stops; work under way is finished first.
/// A failure is logged, and its key comes back after 5 ms, doubling to 1000 s.
pub fn run<R: Reconcile>(tasks: &Tasks, queue: Queue<Key>, workers: usize, reconciler: Arc<R>) {
    for worker in 0..workers {
        let (queue, reconciler, stop) = (queue.clone(), reconciler.clone(), tasks.token());
        let name = format!("{} {worker}", reconciler.name());
        tasks.spawn_draining(name, async move {
            loop {
                let key = tokio::select! {
                    biased;
                    () = stop.cancelled() => None,
                    key = queue.take() => key,
                };
                let Some(key) = key else { return };
                work(&queue, &*reconciler, &key).await;
                queue.done(&key);
            }
        });
    }
}

async fn work<R: Reconcile>(queue: &Queue<Key>, reconciler: &R, key: &Key) {
    match reconciler.reconcile(key).await {
        Ok(outcome) => {
            queue.forget(key);
            if let Outcome::After(delay) = outcome {
                queue.add_after(key.clone(), delay);
            }
        }
        Err(error) => {
            let (controller, error_text) = (reconciler.name(), chain(&error));
            if error.is_conflict() {
                tracing::debug!(controller, %key, error = error_text, "reading again");
            } else {
                tracing::warn!(controller, %key, error = error_text, "will try again");
            }
            queue.add_backoff(key.clone());
        }
    }
}

#[cfg(test)]
mod tests;
