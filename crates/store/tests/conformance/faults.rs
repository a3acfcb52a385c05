//! What holds while things go wrong: lost connections, lost history, a store that dies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::BoxFuture;
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{Cache, Caches, Ended, EventKind, Filter, Settings, Start, WatchItem};
use nakhoda_store::{ChangeStream, Changes, Commit, Error, List, Listing, Memory, Options, Read, Store, Txn, Watch};

use super::cache::request;
use super::harness::{self, Backend, bytes, pod, shape, soon};

const PREFIX: &str = "/registry/pods/";

/// Follows a cache as an informer does, and checks each step: what it holds, and up to which revision.
async fn inform(cache: Cache, until: u64) -> (BTreeMap<String, u64>, u32) {
    let (mut held, mut relists) = (BTreeMap::new(), 0);
    let mut start = None;
    loop {
        let from = match start.take() {
            Some(after) => Start::After(after),
            None => {
                let snapshot = cache.snapshot();
                held = snapshot.walk(None, None).map(|item| (item.key().to_string(), item.revision)).collect();
                relists += 1;
                Start::After(snapshot.revision())
            }
        };
        let Start::After(mut seen) = from else { unreachable!() };
        let Ok(mut watcher) = cache.watch(request(from, Filter::all())).await else { continue };
        while seen < until {
            match soon(watcher.next()).await {
                Some(Ok(WatchItem::Notice(notice))) => {
                    assert!(notice.revision > seen, "{} after {seen}", notice.revision);
                    seen = notice.revision;
                    let key = notice.item.key().to_string();
                    let before = match notice.kind {
                        EventKind::Deleted => held.remove(&key),
                        EventKind::Added | EventKind::Modified => held.insert(key, notice.revision),
                    };
                    assert_eq!(before.is_some(), notice.kind != EventKind::Added, "{notice:?}");
                }
                Some(Err(Ended::Overflow)) => {
                    start = Some(seen);
                    break;
                }
                _ => break,
            }
        }
        if seen >= until {
            return (held, relists);
        }
    }
}

/// Creates, changes and deletes at random, but the same for the same seed. The last revision.
async fn scribble(store: &dyn Store, seed: u64, steps: u32) {
    let mut random = seed;
    for _ in 0..steps {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let name = format!("p{}", (random >> 33) % 17);
        let key = bytes(&format!("{PREFIX}ns/{name}"));
        let options = Options::default();
        // Others scribble too, and the store may be away: what fails is not part of history.
        let Ok(read) = store.get(&key).await else { continue };
        let value = bytes(&pod(&name, "", &random.to_string()));
        let _ = match read.entry {
            None => store.create(key, value, &options).await,
            Some(entry) if (random >> 20).is_multiple_of(3) => store.delete(key, entry.revision, &options).await,
            Some(entry) => store.update(key, entry.revision, value, &options).await,
        };
    }
}

async fn end(store: &dyn Store) -> u64 {
    loop {
        if let Ok(revision) =
            store.create(bytes(&format!("{PREFIX}ns/end")), bytes(&pod("end", "", "")), &Options::default()).await
        {
            return revision;
        }
    }
}

async fn held(store: &dyn Store) -> BTreeMap<String, u64> {
    let list = nakhoda_store::List { prefix: bytes(PREFIX), ..Default::default() };
    let entries = store.list(list).await.unwrap().entries;
    let key = |entry: &nakhoda_store::Entry| String::from_utf8(entry.key[PREFIX.len()..].to_vec()).unwrap();
    entries.iter().map(|entry| (key(entry), entry.revision)).collect()
}

pub async fn a_random_history_is_seen_without_gap_or_duplicate(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let writers = (0..4).map(|seed| {
        let store = b.store.clone();
        tokio::spawn(async move { scribble(&*store, seed, 100).await })
    });
    let writers: Vec<_> = writers.collect();
    let early = tokio::spawn(inform(cache.clone(), u64::MAX));
    futures::future::join_all(writers).await;
    let last = end(&*b.store).await;
    early.abort();
    assert!(early.await.unwrap_err().is_cancelled());
    let (seen, relists) = soon(inform(cache, last)).await;
    assert_eq!((seen, relists), (held(&*b.store).await, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn informers_stay_right_while_connections_and_history_are_lost() {
    let memory = Arc::new(Memory::new(Instant::now()));
    let caches = Caches::start(memory.clone(), Tasks::new(), Settings::default());
    let cache = caches.open(PREFIX, Arc::new(shape()));
    let writer = {
        let store = memory.clone();
        tokio::spawn(async move {
            for seed in 0..40 {
                scribble(&*store, seed, 50).await;
                tokio::task::yield_now().await
            }
        })
    };
    let informers: Vec<_> = (0..3).map(|_| tokio::spawn(inform(cache.clone(), 1_000))).collect();
    while !writer.is_finished() {
        memory.disconnect();
        let _ = memory.compact(memory.revision().await.unwrap()).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    writer.await.unwrap();
    let last = end(&*memory).await;
    for informer in informers {
        soon(informer).await.unwrap();
    }
    let (seen, _) = soon(inform(cache.clone(), last)).await;
    assert_eq!(seen, held(&*memory).await);
    let snapshot = cache.fresh().await.unwrap();
    assert_eq!(snapshot.len(), seen.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_lives_through_a_lost_connection() {
    let memory = Arc::new(Memory::new(Instant::now()));
    let b = Backend { store: memory.clone(), member: None };
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let mut watcher = cache.watch(request(Start::After(cache.snapshot().revision()), Filter::all())).await.unwrap();
    memory.disconnect();
    let revision = b.create("/registry/pods/ns/a", &pod("a", "", "web")).await;
    let Some(Ok(WatchItem::Notice(notice))) = soon(watcher.next()).await else { panic!() };
    assert_eq!(notice.revision, revision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_lives_through_the_death_of_etcd() {
    let mut b = harness::etcd().await;
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let store = b.store.clone();
    let writer = tokio::spawn(async move { scribble(&*store, 7, 400).await });
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        b.member.as_mut().unwrap().crash();
        b.store.revision().await.unwrap();
    }
    writer.await.unwrap();
    let last = end(&*b.store).await;
    let (seen, relists) = soon(inform(cache.clone(), last)).await;
    assert_eq!((seen, relists), (held(&*b.store).await, 1));
    assert!(cache.fresh().await.unwrap().revision() >= last);
}

/// A store whose watches lose one revision, as etcd 3.4 may when starved.
struct Lossy {
    memory: Memory,
    lost: u64,
    /// Whether it is lost to every watch, or to the first only.
    always: bool,
    watches: AtomicU32,
}

impl Store for Lossy {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Read, Error>> {
        self.memory.get(key)
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Listing, Error>> {
        self.memory.list(list)
    }

    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<Commit, Error>> {
        self.memory.commit(txn)
    }

    fn revision(&self) -> BoxFuture<'_, Result<u64, Error>> {
        self.memory.revision()
    }

    fn watch(&self, watch: Watch) -> BoxFuture<'_, Result<ChangeStream, Error>> {
        let first = self.watches.fetch_add(1, Ordering::Relaxed) == 0;
        let lost = (self.always || first).then_some(self.lost);
        Box::pin(async move {
            let stream = self.memory.watch(watch).await?;
            let lose = move |batch: Result<Changes, Error>| {
                let mut batch = batch.ok()?;
                batch.changes.retain(|change| Some(change.revision) != lost);
                batch.revision = batch.changes.last()?.revision;
                Some(Ok(batch))
            };
            Ok(stream.filter_map(move |batch| std::future::ready(lose(batch))).boxed())
        })
    }

    fn compact(&self, revision: u64) -> BoxFuture<'_, Result<(), Error>> {
        self.memory.compact(revision)
    }
}

async fn lose_the_first_pod(always: bool, followed: bool) {
    let lossy = Lossy { memory: Memory::new(Instant::now()), lost: 2, always, watches: AtomicU32::new(0) };
    let b = Backend { store: Arc::new(lossy), member: None };
    let settings = Settings { stalled_after: Duration::from_millis(30), ..Settings::default() };
    let (_tasks, _caches, cache) = b.pods(settings).await;
    assert_eq!(b.create("/registry/pods/ns/a", &pod("a", "", "web")).await, 2);
    if followed {
        b.create("/registry/pods/ns/b", &pod("b", "", "web")).await;
    }
    assert!(soon(cache.fresh()).await.unwrap().get("ns/a").is_some());
}

#[tokio::test]
async fn a_lost_event_is_fetched_by_another_watch() {
    lose_the_first_pod(false, false).await;
    lose_the_first_pod(false, true).await;
}

#[tokio::test]
async fn an_event_lost_to_every_watch_is_made_up_for_by_a_list() {
    lose_the_first_pod(true, false).await;
    lose_the_first_pod(true, true).await;
}
