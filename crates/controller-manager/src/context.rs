//! [`Context`]: what every controller is given. [`Watches`]: which changes wake which keys.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use nakhoda_client::queue::meter::Meters;
use nakhoda_client::{Change, Client, Informer, Informers, Key, Queue, Reconcile, Recorder, Resource, controller};
use nakhoda_daemon::Tasks;

use crate::material::Material;
use crate::options::Options;

/// What every controller is given for one term of leadership. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Writes; each carries the fence of this term.
    pub client: Client,
    /// Reads.
    pub informers: Informers,
    /// Lives as long as the term.
    pub tasks: Tasks,
    /// The flags.
    pub options: Arc<Options>,
    /// Keys and certificates.
    pub material: Arc<Material>,
    /// Measure the queues.
    pub meters: Meters,
}

/// The triggers of one controller: they feed its queue.
pub struct Watches {
    tasks: Tasks,
    name: &'static str,
    queue: Queue<Key>,
    ready: Vec<BoxFuture<'static, ()>>,
}

// === impl Context ===

impl Context {
    /// Tells events in the name of a controller.
    #[must_use]
    pub fn recorder(&self, component: &str) -> Recorder {
        Recorder::new(self.client.clone(), &self.tasks, component, "")
    }
}

// === impl Watches ===

impl Watches {
    /// No triggers yet.
    #[must_use]
    pub fn new(cx: &Context, name: &'static str) -> Self {
        Self { tasks: cx.tasks.clone(), name, queue: Queue::metered(cx.meters.of(name)), ready: Vec::new() }
    }

    /// The queue, for triggers that are no change of an object.
    #[must_use]
    pub const fn queue(&self) -> &Queue<Key> {
        &self.queue
    }

    /// Workers wait until this cache is complete.
    pub fn reads<K: Resource>(&mut self, informer: &Informer<K>) {
        let informer = informer.clone();
        self.ready.push(async move { informer.synced().await }.boxed());
    }

    /// A change wakes the keys of the object as it was and as it is.
    pub fn on<K: Resource>(&mut self, informer: &Informer<K>, keys: impl Fn(&K) -> Vec<Key> + Send + 'static) {
        self.on_change(informer, move |change| match change {
            Change::Added(object) | Change::Deleted(object) => keys(object),
            Change::Updated { old, new } => {
                let mut all = keys(new);
                all.extend(keys(old));
                all
            }
        });
    }

    /// A change wakes the keys that the function tells.
    pub fn on_change<K: Resource>(
        &mut self,
        informer: &Informer<K>,
        keys: impl Fn(&Change<K>) -> Vec<Key> + Send + 'static,
    ) {
        self.reads(informer);
        self.hears(informer, keys);
    }

    /// A change wakes the keys that the function tells, but workers do not wait until the cache is complete:
    /// for a kind that only some objects need.
    pub fn hears<K: Resource>(&self, informer: &Informer<K>, keys: impl Fn(&Change<K>) -> Vec<Key> + Send + 'static) {
        let (mut changes, queue) = (informer.subscribe(), self.queue.clone());
        self.tasks.spawn(format!("{} watches {}", self.name, K::URL_PATH_SEGMENT), async move {
            while let Some(change) = changes.recv().await {
                for key in keys(&change) {
                    queue.add(key);
                }
            }
        });
    }

    /// Starts the workers once all caches are complete.
    pub fn run<R: Reconcile>(self, workers: usize, reconciler: R) {
        let Self { tasks, name, queue, ready } = self;
        tasks.clone().spawn(format!("{name} waits for caches"), async move {
            join_all(ready).await;
            controller::run(&tasks, queue, workers, Arc::new(reconciler));
        });
    }
}
