//! Named, supervised tasks. Every task of a daemon is spawned here, is told when to stop, and is
//! waited for. A task that panics takes the process down in order, with its name in the log: half a
//! daemon is worse than none, and the supervisor starts it again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of one process, or of one part of it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    failure: Arc<Mutex<Option<String>>>,
}

// === impl Tasks ===

impl Tasks {
    /// No tasks yet, running.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a future until it ends; it is dropped at its next await once the process stops. Use
    /// [`Tasks::stopping`] inside a future that must finish something first, with
    /// [`Tasks::spawn_draining`].
    pub fn spawn<F>(&self, name: impl Into<String>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.spawn_draining(name, async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = future => {}
            }
        });
    }

    /// Runs a future that watches [`Tasks::stopping`] itself and ends soon after it.
    pub fn spawn_draining<F>(&self, name: impl Into<String>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = name.into();
        let tasks = self.clone();
        self.tracker.spawn(async move {
            if let Err(panic) = std::panic::AssertUnwindSafe(future).catch_unwind().await {
                tasks.fail(format!("task {name} panicked: {}", panic_text(&*panic)));
            }
        });
    }

    /// A part with a life of its own: stopping it stops only its tasks, and stopping the whole stops it.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { tracker: self.tracker.clone(), stop: self.stop.child_token(), failure: self.failure.clone() }
    }

    /// Asks every task to stop because of a fault, which [`Tasks::failure`] then tells.
    pub fn fail(&self, why: String) {
        tracing::error!(error = %why, "stopping");
        self.failure.lock().get_or_insert(why);
        self.stop.cancel();
    }

    /// Asks every task to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Resolves once stopping was asked for.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// The token behind [`Tasks::stopping`].
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until every task has ended, at most for `grace`. False if some had not.
    pub async fn finished(&self, grace: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait()).await.is_ok()
    }

    /// Why the tasks were stopped, if it was a fault.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_stops_all_and_is_told_by_name() {
        let tasks = Tasks::new();
        let other = tasks.clone();
        tasks.spawn("idle", async move { other.stopping().await });
        tasks.spawn("bad", async { panic!("boom") });
        tasks.stopping().await;
        assert!(tasks.finished(Duration::from_secs(5)).await);
        assert!(tasks.failure().is_some_and(|f| f.contains("bad") && f.contains("boom")));
    }

    #[tokio::test]
    async fn a_child_stops_alone() {
        let tasks = Tasks::new();
        let child = tasks.child();
        child.stop();
        assert!(!tasks.token().is_cancelled());
        tasks.stop();
        assert!(tasks.child().token().is_cancelled());
    }
}
