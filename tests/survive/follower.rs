//! Clients that follow everything and check each event; a broken watch goes on from where it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_client::api::Watch;
use nakhoda_client::{Client, Config, DynamicApi, Selection, WatchEvent};
use nakhoda_tests::history::{Change, History, Place};
use nakhoda_tests::source::state;

const FOLLOWED: [(&str, &str, &str); 7] = [
    ("", "v1", "pods"),
    ("", "v1", "configmaps"),
    ("", "v1", "services"),
    ("apps", "v1", "deployments"),
    ("apps", "v1", "replicasets"),
    ("apps", "v1", "statefulsets"),
    ("discovery.k8s.io", "v1", "endpointslices"),
];
/// At the end, what was told must become what is listed.
const CATCH_UP: Duration = Duration::from_secs(30);

/// All of them.
pub(crate) struct Followers {
    runtime: tokio::runtime::Runtime,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Result<usize>>>,
}

/// Starts so many clients, each on connections of its own.
pub(crate) fn start(clients: usize) -> Result<Followers> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), Vec::new());
    for _ in 0..clients {
        let client =
            runtime.block_on(async { Config::from_kubeconfig(state().join("kubeconfig")).map(|c| Client::new(&c)) })?;
        for (group, version, resource) in FOLLOWED {
            let api = client.dynamic(&GroupVersionResource::new(group, version, resource), None);
            let (known, revision) = runtime.block_on(list(&api))?;
            let follower = Follower { api, history: History::new(known, revision), stop: stop.clone() };
            tasks.push(runtime.spawn(follower.follow(resource)));
        }
    }
    Ok(Followers { runtime, stop, tasks })
}

// === impl Followers ===

impl Followers {
    /// Lets everybody come to the end: how many events were right.
    pub(crate) fn end(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        let mut events = 0;
        for task in self.tasks {
            events += self.runtime.block_on(task)??;
        }
        Ok(events)
    }
}

struct Follower {
    api: DynamicApi,
    history: History,
    stop: Arc<AtomicBool>,
}

// === impl Follower ===

impl Follower {
    async fn follow(mut self, resource: &str) -> Result<usize> {
        let mut end: Option<Instant> = None;
        loop {
            let watch = Watch { resource_version: self.history.reached().to_string(), ..Watch::default() };
            let mut stream = match self.api.watch(&watch).await {
                Ok(stream) => stream,
                Err(error) if error.is_expired() => {
                    bail!("{resource}: history after {} is gone", self.history.reached())
                }
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            loop {
                match tokio::time::timeout(Duration::from_millis(500), stream.next()).await {
                    Ok(Some(Ok(event))) => self.take(event).with_context(|| resource.to_owned())?,
                    Ok(Some(Err(error))) if error.is_expired() => bail!("{resource}: history is gone: {error}"),
                    Ok(Some(Err(_)) | None) => break,
                    // A silence: perhaps all is said.
                    Err(_) if self.stop.load(Ordering::Relaxed) => {
                        let end = *end.get_or_insert_with(|| Instant::now() + CATCH_UP);
                        let Ok((listed, _)) = list(&self.api).await else { continue };
                        let differences = self.history.differences(&listed);
                        if differences.is_empty() {
                            return Ok(self.history.events);
                        }
                        ensure!(Instant::now() < end, "{resource}: what was told is not what is: {differences:?}");
                    }
                    Err(_) => {}
                }
            }
        }
    }

    fn take(&mut self, event: WatchEvent<Object>) -> Result<()> {
        let (change, object) = match event {
            WatchEvent::Added(object) => (Change::Added, object),
            WatchEvent::Modified(object) => (Change::Modified, object),
            WatchEvent::Deleted(object) => (Change::Deleted, object),
            WatchEvent::Bookmark { resource_version, .. } => {
                return self.history.bookmark(resource_version.parse()?).map_err(anyhow::Error::msg);
            }
        };
        let (place, revision) = place(&object)?;
        self.history.take(change, place, revision).map_err(anyhow::Error::msg)
    }
}

fn place(object: &Object) -> Result<(Place, u64)> {
    let revision = object.resource_version().parse().context("an object without a revision")?;
    Ok(((format!("{}/{}", object.namespace(), object.name()), object.uid().to_owned()), revision))
}

async fn list(api: &DynamicApi) -> Result<(BTreeMap<Place, u64>, u64)> {
    let listed = api.list(&Selection::default()).await?;
    let items = listed.items.iter().map(place).collect::<Result<_>>()?;
    Ok((items, listed.resource_version.parse()?))
}
