//! The one watch of the store, and what becomes of it when the store or the connection fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use nakhoda_daemon::Tasks;
use tokio::sync::{Notify, watch};

use super::fresh::Fresh;
use super::history::Recovery;
use super::progress::Progress;
use super::resource::Resource;
use super::{Settings, fill};
use crate::error::Error;
use crate::store::{Change, Changes, Store, Watch};

pub(crate) mod registry;

use registry::Registry;

/// How long to wait before the watch is opened again.
const AGAIN: Duration = Duration::from_millis(100);
/// How often to make sure, when nobody reads, that the watch still gets everything, and to let old history go.
const SENTINEL: Duration = Duration::from_secs(30);

pub(crate) struct Hub {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tasks: Tasks,
    pub(crate) settings: Settings,
    pub(crate) registry: Registry,
    pub(crate) progress: Progress,
    fresh: Fresh,
    pub(crate) recovery: Recovery,
    begun: watch::Sender<bool>,
    stall: Notify,
}

/// Why a watch of the store ended.
enum End {
    /// The history after our progress is gone.
    Gap,
    /// The connection.
    Lost(Option<Error>),
    /// Revisions exist that it did not tell, or it left some out.
    Stalled,
}

// === impl Hub ===

impl Hub {
    pub(crate) fn start(store: Arc<dyn Store>, tasks: Tasks, settings: Settings) -> Arc<Self> {
        let hub = Arc::new(Self {
            fresh: Fresh::start(store.clone(), &tasks),
            store,
            tasks,
            settings,
            registry: Registry::default(),
            progress: Progress::default(),
            recovery: Recovery::default(),
            begun: watch::Sender::new(false),
            stall: Notify::new(),
        });
        hub.tasks.spawn("cache watch", hub.clone().follow());
        hub.tasks.spawn("cache sentinel", hub.clone().guard());
        hub
    }

    /// Waits until the watch has a start.
    pub(crate) async fn begun(&self) {
        // The sender lives as long as `self`.
        let _ = self.begun.subscribe().wait_for(|begun| *begun).await;
    }

    /// Somebody knows that `revision` exists and waited for it in vain.
    pub(crate) fn stalled(&self, revision: u64) {
        if self.progress.reached() < revision {
            self.stall.notify_one();
        }
    }

    async fn follow(self: Arc<Self>) {
        let mut anew = true;
        let mut stalled_at = None;
        loop {
            let end = self.session(anew).await;
            let reached = self.progress.reached();
            // For the second time at the same place: opening the watch again is no help.
            let stuck = matches!(end, End::Stalled) && stalled_at == Some(reached);
            anew = matches!(end, End::Gap) || stuck || !*self.begun.borrow();
            stalled_at = matches!(end, End::Stalled).then_some(reached);
            end.log(reached, anew);
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// One watch, from our progress or anew from the store's newest revision, until it ends.
    async fn session(self: &Arc<Self>, anew: bool) -> End {
        let mut stream = match self.open(anew).await {
            Ok(stream) => stream,
            Err(end) => return end,
        };
        let _ = self.stall.notified().now_or_never();
        loop {
            tokio::select! {
                changes = stream.next() => match changes {
                    Some(Ok(changes)) if contiguous(self.progress.reached(), &changes) => self.hand_on(changes),
                    Some(Ok(_)) => return End::Stalled,
                    Some(Err(error)) => return error.into(),
                    None => return End::Lost(None),
                },
                () = self.stall.notified() => return End::Stalled,
            }
        }
    }

    /// The store's revision, read after this call began. A store that went back is not served: what it will give out
    /// anew, others have seen as something else.
    pub(crate) async fn revision(&self) -> Result<u64, Error> {
        let given_out = self.progress.reached().max(self.settings.floor);
        let revision = self.fresh.revision().await?;
        if revision >= given_out {
            return Ok(revision);
        }
        self.tasks.fail(format!(
            "the store is at revision {revision}, but revision {given_out} was given out before; if it was restored from \
             a backup, raise its revision first (apiserver --raise-revision-above {given_out}, as scripts/etcd-restore does)"
        ));
        Err(Error::unavailable("the store went back"))
    }

    async fn open(self: &Arc<Self>, anew: bool) -> Result<crate::store::ChangeStream, End> {
        let revision = self.revision().await?;
        let after = if anew { revision } else { self.progress.reached() };
        let stream = self.store.watch(Watch { prefix: Bytes::new(), after, previous: false }).await?;
        if anew {
            self.restart(after);
        }
        Ok(stream)
    }

    /// All caches have to be listed at `revision` or later. Their states stand still until then, so they are
    /// frozen before the progress moves.
    fn restart(self: &Arc<Self>, revision: u64) {
        let reached = self.progress.reached();
        for resource in self.registry.all().values() {
            if resource.freeze(reached) {
                fill::spawn(self, resource.clone());
            }
        }
        self.progress.advance(revision);
        self.begun.send_replace(true);
    }

    fn hand_on(&self, changes: Changes) {
        let reached = self.progress.reached();
        let caches = self.registry.all();
        let mut batches: Vec<(&Arc<Resource>, Vec<Change>)> = Vec::new();
        for change in changes.changes.into_iter().filter(|change| change.revision > reached) {
            let Some(resource) = registry::find(&caches, &change.key) else { continue };
            match batches.iter_mut().find(|(other, _)| Arc::ptr_eq(other, resource)) {
                Some((_, batch)) => batch.push(change),
                None => batches.push((resource, vec![change])),
            }
        }
        for (resource, batch) in batches {
            resource.apply(batch);
        }
        self.progress.advance(changes.revision);
    }

    async fn guard(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SENTINEL).await;
            for resource in self.registry.all().values() {
                resource.trim(Instant::now(), &self.settings);
            }
            let Ok(revision) = self.revision().await else { continue };
            let reached = self.progress.reach(revision);
            if tokio::time::timeout(self.settings.stalled_after, reached).await.is_err() {
                self.stalled(revision);
            }
        }
    }
}

/// Whether the changes go on where `reached` is without leaving out a revision: each one has a change.
fn contiguous(reached: u64, changes: &Changes) -> bool {
    let mut at = reached;
    changes.changes.iter().map(|change| change.revision).all(|revision| {
        let follows = revision <= at + 1;
        at = at.max(revision);
        follows
    })
}

// === impl End ===

impl End {
    fn log(&self, reached: u64, anew: bool) {
        match self {
            Self::Gap => tracing::warn!(reached, anew, "the store's history is gone, listing anew"),
            Self::Lost(Some(error)) => tracing::warn!(reached, anew, %error, "lost the watch of the store"),
            Self::Lost(None) => tracing::warn!(reached, anew, "the watch of the store ended"),
            Self::Stalled => tracing::warn!(reached, anew, "the watch of the store lacks revisions"),
        }
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Compacted { .. } => Self::Gap,
            other => Self::Lost(Some(other)),
        }
    }
}
