//! All pods of the node: gives each its worker, and each worker its notes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::core::{Core, View};
use super::worker::{self, Note, Waker};
use super::{spec, sub_path};
use crate::containerd::events::Event;
use crate::cri;
use crate::eviction::plan::Eviction;
use crate::host::Host;
use crate::labels;

/// How often everything is listed, for what the event stream may have lost.
const RELIST: Duration = Duration::from_secs(30);

/// The pods of the node. Cheap to clone.
#[derive(Clone)]
pub struct Manager {
    host: Arc<Host>,
    workers: Arc<Mutex<HashMap<String, Worker>>>,
}

#[derive(Clone)]
struct Worker {
    name: (String, String),
    waker: Waker,
    view: Arc<RwLock<View>>,
    ended: CancellationToken,
}

// === impl Manager ===

impl Manager {
    /// No pods yet.
    #[must_use]
    pub fn new(host: Arc<Host>) -> Self {
        Self { host, workers: Arc::default() }
    }

    /// Takes a pod that is new or has changed.
    pub fn apply(&self, pod: Arc<Pod>) {
        self.worker(&pod).waker.note(Note::Pod(pod));
    }

    /// The API has this pod no more.
    pub fn gone(&self, pod: &Arc<Pod>) {
        // Its place is given away already, whatever of it still runs.
        self.host.allocations.release(spec::uid(pod));
        self.worker(pod).waker.note(Note::Gone);
    }

    /// The node cannot have a pod any more; whether it is here.
    #[must_use]
    pub fn evict(&self, eviction: &Eviction) -> bool {
        let worker = self.workers.lock().get(&eviction.uid).cloned();
        worker.inspect(|w| w.waker.note(Note::Evict(Arc::new(eviction.clone())))).is_some()
    }

    /// A ConfigMap or Secret changed.
    pub fn refresh(&self, namespace: &str) {
        for worker in self.workers.lock().values().filter(|w| w.name.0 == namespace) {
            worker.waker.note(Note::Refresh);
        }
    }

    /// What is known of every pod.
    #[must_use]
    pub fn views(&self) -> Vec<View> {
        self.workers.lock().values().map(|w| w.view.read().clone()).collect()
    }

    /// What is known of a pod; the uid may be empty.
    #[must_use]
    pub fn view(&self, namespace: &str, name: &str, uid: &str) -> Option<View> {
        let workers = self.workers.lock();
        let mut found = workers
            .iter()
            .filter(|(_, w)| w.name.0 == namespace && w.name.1 == name)
            // Of a static pod others know the uid of its mirror.
            .filter(|(id, w)| uid.is_empty() || uid == id.as_str() || spec::is_static(&w.view.read().pod));
        // Of two with one name the one that is not going is meant.
        let first = found.next()?;
        let chosen = found.chain([first]).min_by_key(|(_, w)| spec::is_deleted(&w.view.read().pod));
        chosen.map(|(_, w)| w.view.read().clone())
    }

    /// Ends what runs here and is in the API no more. Called once, after the first list of pods.
    pub async fn adopt(&self) -> Result<(), cri::Error> {
        for sandbox in self.host.cri.sandboxes(HashMap::new()).await? {
            let label = |name: &str| sandbox.labels.get(name).cloned().unwrap_or_default();
            let uid = label(labels::POD_UID);
            if uid.is_empty() || self.workers.lock().contains_key(&uid) {
                continue;
            }
            let mut pod = Pod::default();
            pod.metadata.name = Some(label(labels::POD_NAME));
            pod.metadata.namespace = Some(label(labels::POD_NAMESPACE));
            pod.metadata.uid = Some(uid);
            tracing::info!(pod = spec::full_name(&pod), "runs here without a pod in the API; it will be stopped");
            self.gone(&Arc::new(pod));
        }
        self.sweep();
        Ok(())
    }

    /// Follows the runtime's events, and lists now and then.
    pub async fn follow(self, mut events: mpsc::Receiver<Event>) {
        let mut last = BTreeMap::new();
        let mut ticks = tokio::time::interval(RELIST);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Exited(id)) => self.exited(id),
                    Some(Event::Images) => self.all(&Note::Images),
                    Some(Event::Resumed) => self.all(&Note::Look),
                    Some(Event::Started(_) | Event::OutOfMemory(_)) => {}
                    None => return,
                },
                _ = ticks.tick() => match self.list().await {
                    Ok(now) => {
                        self.wake_changed(&last, &now);
                        last = now;
                    }
                    Err(error) => tracing::debug!(%error, "not listed"),
                },
            }
        }
    }

    fn exited(&self, id: String) {
        let uid = self.host.owners.of(&id);
        match uid.and_then(|uid| self.workers.lock().get(&uid).cloned()) {
            Some(worker) => worker.waker.note(Note::Exited(id)),
            None => tracing::debug!(id, "the end of a container that nobody here knows"),
        }
    }

    fn all(&self, note: &Note) {
        for worker in self.workers.lock().values() {
            worker.waker.note(note.clone());
        }
    }

    /// Every container and sandbox with its state, by pod.
    async fn list(&self) -> Result<BTreeMap<String, Vec<(String, i32)>>, cri::Error> {
        let mut pods: BTreeMap<String, Vec<(String, i32)>> = BTreeMap::new();
        let (sandboxes, containers) =
            futures::try_join!(self.host.cri.sandboxes(HashMap::new()), self.host.cri.containers(HashMap::new()))?;
        let sandboxes = sandboxes.into_iter().map(|s| (s.labels, s.id, s.state));
        for (labels, id, state) in sandboxes.chain(containers.into_iter().map(|c| (c.labels, c.id, c.state))) {
            if let Some(uid) = labels.get(labels::POD_UID) {
                pods.entry(uid.clone()).or_default().push((id, state));
            }
        }
        pods.values_mut().for_each(|list| list.sort());
        Ok(pods)
    }

    fn wake_changed(&self, last: &BTreeMap<String, Vec<(String, i32)>>, now: &BTreeMap<String, Vec<(String, i32)>>) {
        for (uid, worker) in self.workers.lock().iter() {
            if last.get(uid) != now.get(uid) {
                worker.waker.look();
            }
        }
    }

    /// Directories of pods that nobody knows.
    fn sweep(&self) {
        let known: HashSet<String> = self.workers.lock().keys().cloned().collect();
        let Ok(entries) = std::fs::read_dir(self.host.paths.pods()) else { return };
        for entry in entries.flatten().filter(|e| !known.contains(&*e.file_name().to_string_lossy())) {
            let (path, name) = (entry.path(), entry.file_name());
            if let Err(error) = sub_path::release(&self.host.paths.sub_paths(&name.to_string_lossy())) {
                tracing::warn!(%error, pod = %name.display(), "paths of volumes stay mounted");
            }
            let outcome = crate::volume::tear_down(&path.join("volumes"));
            if let Err(error) = outcome
                .map_err(|e| e.to_string())
                .and_then(|()| std::fs::remove_dir_all(&path).map_err(|e| e.to_string()))
            {
                tracing::warn!(error, directory = %path.display(), "left-over directory stays");
            }
        }
    }

    /// The pod's worker, begun if it has none. A pod whose name another still holds waits for that one's end.
    fn worker(&self, pod: &Arc<Pod>) -> Worker {
        let uid = spec::uid(pod).to_owned();
        let mut workers = self.workers.lock();
        if let Some(worker) = workers.get(&uid) {
            return worker.clone();
        }
        let name = (spec::namespace(pod).to_owned(), spec::name(pod).to_owned());
        let before: Vec<_> = workers.values().filter(|w| w.name == name).map(|w| w.ended.clone()).collect();
        let (waker, inbox) = Waker::new();
        let view = Arc::new(RwLock::new(View { pod: pod.clone(), observed: Arc::default() }));
        let worker = Worker { name, waker: waker.clone(), view: view.clone(), ended: CancellationToken::new() };
        workers.insert(uid.clone(), worker.clone());
        let core = Core::new(self.host.clone(), pod.clone(), waker, view);
        let (all, ended) = (self.workers.clone(), worker.ended.clone());
        self.host.tasks.spawn(format!("pod {}", spec::full_name(pod)), async move {
            for other in before {
                other.cancelled().await;
            }
            Box::pin(worker::run(core, inbox)).await;
            all.lock().remove(&uid);
            ended.cancel();
        });
        worker
    }
}
