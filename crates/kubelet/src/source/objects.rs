//! ConfigMaps and Secrets that pods of this node refer to: each is watched by name from its first use,
//! which is all that a node may read, and forgotten when nobody has asked for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nakhoda_client::{Change, Client, Informer, Informers, Key, Resource, Selection};
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::Error;

/// Volumes ask every minute: what nobody asked for in this time nobody uses.
const UNUSED: Duration = Duration::from_secs(300);

/// The watched objects of one kind.
pub struct Objects<K> {
    client: Client,
    tasks: Tasks,
    kind: &'static str,
    changed: mpsc::UnboundedSender<String>,
    known: Mutex<HashMap<Key, Watched<K>>>,
}

struct Watched<K> {
    informer: Informer<K>,
    life: Tasks,
    used: Instant,
}

// === impl Objects ===

impl<K: Resource> Objects<K> {
    /// None watched yet; the namespaces of those that change go to `changed`.
    #[must_use]
    pub fn new(client: Client, tasks: Tasks, kind: &'static str, changed: mpsc::UnboundedSender<String>) -> Self {
        Self { client, tasks, kind, changed, known: Mutex::default() }
    }

    /// The object as it is now.
    pub async fn get(&self, key: Key) -> Result<Arc<K>, Error> {
        let informer = self.watched(&key);
        let missing = || Error::NotFound(format!("{} {:?} not found", self.kind, key.name));
        if informer.is_synced() {
            return informer.get(&key).ok_or_else(missing);
        }
        match self.client.namespaced::<K>(&key.namespace).get(&key.name).await {
            Ok(object) => Ok(Arc::new(object)),
            Err(error) if error.is_not_found() => Err(missing()),
            Err(error) => Err(Error::Failed(error.to_string())),
        }
    }

    fn watched(&self, key: &Key) -> Informer<K> {
        let mut known = self.known.lock();
        if let Some(watched) = known.get_mut(key) {
            watched.used = Instant::now();
            return watched.informer.clone();
        }
        known.retain(|_, watched| {
            let keep = watched.used.elapsed() < UNUSED;
            if !keep {
                watched.life.stop();
            }
            keep
        });
        let life = self.tasks.child();
        let selection = Selection { fields: format!("metadata.name={}", key.name), ..Selection::default() };
        let informer = Informers::new(self.client.clone(), life.clone()).select::<K>(Some(&key.namespace), selection);
        life.spawn(format!("{} {key}", self.kind), tell(informer.clone(), key.namespace.clone(), self.changed.clone()));
        known.insert(key.clone(), Watched { informer: informer.clone(), life, used: Instant::now() });
        informer
    }
}

async fn tell<K: Resource>(informer: Informer<K>, namespace: String, changed: mpsc::UnboundedSender<String>) {
    informer.synced().await;
    let mut changes = informer.subscribe();
    let mut first = !informer.list().is_empty();
    while let Some(change) = changes.recv().await {
        // The state that was there is no change.
        if std::mem::take(&mut first) && matches!(change, Change::Added(_)) {
            continue;
        }
        if changed.send(namespace.clone()).is_err() {
            return;
        }
    }
}
