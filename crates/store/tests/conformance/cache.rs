//! What the cache promises, whatever store it follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use nakhoda_store::cache::{
    Cache, Ended, EventKind, Filter, Form, Notice, Settings, Start, WatchItem, WatchRequest, Watcher,
};
use nakhoda_store::{Error, Options};

use super::harness::{Backend, bytes, pod, soon};

const EVERYTHING: EventKinds = [EventKind::Added, EventKind::Modified, EventKind::Deleted];
type EventKinds = [EventKind; 3];

pub fn request(start: Start, filter: Filter) -> WatchRequest {
    WatchRequest { start, filter, bookmarks: None, initial_events_end: false }
}

async fn watch(cache: &Cache, filter: Filter) -> Watcher {
    let start = Start::After(cache.fresh().await.unwrap().revision());
    cache.watch(request(start, filter)).await.unwrap()
}

async fn notice(watcher: &mut Watcher) -> Notice {
    match soon(watcher.next()).await.unwrap().unwrap() {
        WatchItem::Notice(notice) => notice,
        other @ WatchItem::Bookmark { .. } => panic!("{other:?}"),
    }
}

fn labelled(app: &'static str) -> Filter {
    Filter { matches: Some(Arc::new(move |item| item.label("app") == Some(app))), ..Filter::all() }
}

pub async fn a_snapshot_is_what_the_store_holds(b: Backend) {
    let first = b.create("/registry/pods/ns/a", &pod("a", "n1", "web")).await;
    b.create("/registry/podsets/ns/a", &pod("a", "n1", "web")).await;
    b.create("/registry/pods/ns/bad", "no json").await;
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let last = b.create("/registry/pods/other/b", &pod("b", "", "db")).await;
    let snapshot = cache.fresh().await.unwrap();
    assert_eq!((snapshot.len(), snapshot.revision()), (2, last));
    let item = snapshot.get("ns/a").unwrap();
    assert_eq!((item.namespace(), item.name(), item.uid(), item.revision), ("ns", "a", "uid-a", first));
    assert_eq!((item.label("app"), item.field("spec.nodeName")), (Some("web"), Some("n1")));
    assert_eq!(item.field("status.phase"), Some("Pending"));
    let json: serde_json::Value = serde_json::from_slice(item.json()).unwrap();
    assert_eq!(json["metadata"]["resourceVersion"], first.to_string());
    let keys: Vec<_> = snapshot.walk(Some("other"), None).map(|item| item.key().to_string()).collect();
    assert_eq!(keys, ["other/b"]);
}

pub async fn a_fresh_snapshot_has_all_that_was_answered(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    for number in 0..50 {
        let name = format!("p{number}");
        let revision = b.create(&format!("/registry/pods/ns/{name}"), &pod(&name, "", "web")).await;
        let snapshot = cache.fresh().await.unwrap();
        assert!(snapshot.revision() >= revision);
        assert_eq!(snapshot.get(&format!("ns/{name}")).unwrap().revision, revision);
    }
}

pub async fn a_fresh_snapshot_counts_foreign_revisions(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let elsewhere = b.create("/elsewhere", "x").await;
    assert_eq!(soon(cache.fresh()).await.unwrap().revision(), elsewhere);
    let gone = b.remove("/elsewhere").await;
    assert_eq!(soon(cache.fresh()).await.unwrap().revision(), gone);
    let error = cache.wait_for(gone + 1, Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(error, Error::Future { requested, .. } if requested == gone + 1), "{error:?}");
}

pub async fn a_deletion_carries_the_last_state_and_its_own_revision(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let mut watcher = watch(&cache, Filter::all()).await;
    let first = b.create("/registry/pods/ns/a", &pod("a", "", "web")).await;
    b.update("/registry/pods/ns/a", first, &pod("a", "n1", "web")).await;
    let gone = b.remove("/registry/pods/ns/a").await;
    let mut last = None;
    for kind in EVERYTHING {
        let notice = notice(&mut watcher).await;
        assert_eq!(notice.kind, kind);
        last = Some(notice);
    }
    let last = last.unwrap();
    assert_eq!((last.revision, last.item.revision), (gone, gone));
    assert_eq!(last.item.field("spec.nodeName"), Some("n1"));
    let json: serde_json::Value = serde_json::from_slice(last.item.json()).unwrap();
    assert_eq!(json["metadata"]["resourceVersion"], gone.to_string());
}

pub async fn a_selector_turns_changes_into_arrivals_and_departures(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let mut watcher = watch(&cache, labelled("web")).await;
    let key = "/registry/pods/ns/a";
    let mut revision = b.create(key, &pod("a", "", "db")).await;
    for app in ["web", "web", "db", "web"] {
        revision = b.update(key, revision, &pod("a", "", app)).await;
    }
    b.remove(key).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        let notice = notice(&mut watcher).await;
        assert_eq!(notice.item.label("app"), Some("web"));
        assert_eq!(notice.item.revision, notice.revision);
        seen.push(notice.kind);
    }
    let (added, deleted) = (EventKind::Added, EventKind::Deleted);
    assert_eq!(seen, [added, EventKind::Modified, deleted, added, deleted]);
}

pub async fn initial_objects_end_with_a_bookmark(b: Backend) {
    for number in 0..300 {
        b.create(&format!("/registry/pods/ns/p{number:03}"), &pod("p", "", if number % 3 == 0 { "web" } else { "db" }))
            .await;
    }
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let snapshot = cache.fresh().await.unwrap();
    let start = Start::Initial(snapshot.clone());
    let mut watcher =
        cache.watch(WatchRequest { initial_events_end: true, ..request(start, labelled("web")) }).await.unwrap();
    let later = b.create("/registry/pods/ns/later", &pod("later", "", "web")).await;
    for _ in 0..100 {
        assert_eq!(notice(&mut watcher).await.kind, EventKind::Added);
    }
    let WatchItem::Bookmark { revision, initial_events_end: true } = soon(watcher.next()).await.unwrap().unwrap()
    else {
        panic!("no bookmark behind the initial objects")
    };
    assert_eq!(revision, snapshot.revision());
    assert_eq!(notice(&mut watcher).await.revision, later);
}

pub async fn a_hot_field_finds_its_watchers(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let on = |node: &str| Filter { hot: Some(node.to_owned()), ..Filter::all() };
    let mut first = watch(&cache, on("n1")).await;
    let mut second = watch(&cache, on("n2")).await;
    let mut named =
        watch(&cache, Filter { name: Some("b".into()), namespace: Some("ns".into()), ..Filter::all() }).await;
    let mut other = watch(&cache, Filter { namespace: Some("none".into()), ..Filter::all() }).await;
    let a = b.create("/registry/pods/ns/a", &pod("a", "", "web")).await;
    let a = b.update("/registry/pods/ns/a", a, &pod("a", "n1", "web")).await;
    let moved = b.update("/registry/pods/ns/a", a, &pod("a", "n2", "web")).await;
    let last = b.create("/registry/pods/ns/b", &pod("b", "n2", "web")).await;
    let (arrived, left) = (notice(&mut first).await, notice(&mut first).await);
    assert_eq!((arrived.kind, arrived.revision), (EventKind::Added, a));
    assert_eq!((left.kind, left.revision), (EventKind::Deleted, moved));
    assert_eq!((notice(&mut second).await.revision, notice(&mut second).await.revision), (moved, last));
    assert_eq!(notice(&mut named).await.revision, last);
    assert!(other.next().now_or_never().is_none());
}

pub async fn history_that_left_the_ring_is_expired(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings { ring_bytes: 4096, ..Settings::default() }).await;
    let mut revisions = Vec::new();
    for number in 0..40 {
        revisions.push(b.create(&format!("/registry/pods/ns/p{number}"), &pod("p", "", "web")).await);
    }
    let elsewhere = b.create("/elsewhere", "x").await;
    cache.fresh().await.unwrap();
    let after = |revision| request(Start::After(revision), Filter::all());
    let ended = soon(cache.watch(after(revisions[0])).await.unwrap().next()).await.unwrap().unwrap_err();
    assert!(matches!(ended, Ended::Expired { requested, .. } if requested == revisions[0]), "{ended:?}");
    let mut watcher = cache.watch(after(revisions[38])).await.unwrap();
    assert_eq!(notice(&mut watcher).await.revision, revisions[39]);
    assert!(cache.watch(after(elsewhere)).await.is_ok());
}

pub async fn a_slow_watcher_is_closed_alone(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings { queue_events: 10, ..Settings::default() }).await;
    let mut slow = watch(&cache, Filter::all()).await;
    let mut quick = watch(&cache, Filter::all()).await;
    for number in 0..30 {
        let revision = b.create(&format!("/registry/pods/ns/p{number}"), &pod("p", "", "web")).await;
        assert_eq!(notice(&mut quick).await.revision, revision);
    }
    assert_eq!(soon(slow.next()).await.unwrap().unwrap_err(), Ended::Overflow);
    assert!(slow.next().await.is_none());
}

pub async fn pages_share_a_snapshot(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    for number in 0..10 {
        let ns = if number % 2 == 0 { "even" } else { "odd" };
        b.create(&format!("/registry/pods/{ns}/p{number}"), &pod("p", "", "web")).await;
    }
    let snapshot = cache.fresh().await.unwrap();
    let even = Filter { namespace: Some("even".into()), ..Filter::all() };
    let first = snapshot.page(&even, None, 2);
    assert_eq!((first.items.len(), first.remaining), (2, Some(3)));
    cache.keep(&snapshot);
    b.remove("/registry/pods/even/p8").await;
    cache.fresh().await.unwrap();
    b.store.compact(b.store.revision().await.unwrap()).await.unwrap();
    let again = cache.at(snapshot.revision()).await.unwrap();
    let rest = again.page(&even, first.next.as_deref(), 10);
    let names: Vec<_> = rest.items.iter().map(|item| item.name()).collect();
    assert_eq!((names, rest.next, rest.remaining), (vec!["p4", "p6", "p8"], None, None));
    assert_eq!(snapshot.page(&labelled("web"), None, 4).remaining, None);
    assert_eq!(snapshot.page(&Filter::all(), None, 0).items.len(), 10);
}

pub async fn an_exact_revision_comes_from_the_store_or_is_compacted(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let first = b.create("/registry/pods/ns/a", &pod("a", "", "web")).await;
    let gone = b.remove("/registry/pods/ns/a").await;
    cache.fresh().await.unwrap();
    let past = cache.at(first).await.unwrap();
    assert_eq!((past.revision(), past.len()), (first, 1));
    let error = cache.at(gone + 9).await.unwrap_err();
    assert!(matches!(error, Error::Future { .. }), "{error:?}");
    b.store.compact(gone).await.unwrap();
    assert_eq!(cache.at(first).await.unwrap().len(), 1, "it is kept");
    let error = cache.at(first - 1).await.unwrap_err();
    assert!(matches!(error, Error::Compacted { .. }), "{error:?}");
}

pub async fn a_watch_from_a_revision_ahead_tells_what_comes_after_it(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let ahead = cache.fresh().await.unwrap().revision() + 2;
    let often = Some(Duration::from_millis(5));
    let asked = WatchRequest { bookmarks: often, ..request(Start::After(ahead), Filter::all()) };
    let mut watcher = cache.watch(asked).await.unwrap();
    for name in ["a", "b", "c"] {
        b.create(&format!("/registry/pods/ns/{name}"), &pod(name, "", "web")).await;
    }
    loop {
        match soon(watcher.next()).await.unwrap().unwrap() {
            WatchItem::Notice(notice) => break assert_eq!((notice.item.name(), notice.revision), ("c", ahead + 1)),
            WatchItem::Bookmark { revision, .. } => assert!(revision >= ahead),
        }
    }
}

pub async fn bookmarks_tell_what_is_complete(b: Backend) {
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let start = Start::After(cache.fresh().await.unwrap().revision());
    let often = Some(Duration::from_millis(5));
    let mut watcher = cache.watch(WatchRequest { bookmarks: often, ..request(start, labelled("web")) }).await.unwrap();
    let unseen = b.create("/registry/pods/ns/a", &pod("a", "", "db")).await;
    let mut last = 0;
    while last < unseen {
        let WatchItem::Bookmark { revision, .. } = soon(watcher.next()).await.unwrap().unwrap() else { panic!() };
        assert!(revision >= last);
        last = revision;
    }
}

pub async fn frames_are_encoded_once(b: Backend) {
    const FORM: Form = Form::new(3);
    let (_tasks, _caches, cache) = b.pods(Settings::default()).await;
    let mut watchers = Vec::new();
    for _ in 0..5 {
        watchers.push(watch(&cache, Filter::all()).await);
    }
    b.create("/registry/pods/ns/a", &pod("a", "", "web")).await;
    let made = AtomicU32::new(0);
    for watcher in &mut watchers {
        let notice = notice(watcher).await;
        let encode = |notice: &Notice| {
            made.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(Bytes::from(notice.kind.as_str()))
        };
        assert_eq!(notice.frame(FORM, encode).unwrap(), bytes("ADDED"));
    }
    assert_eq!(made.into_inner(), 1);
}

pub async fn a_closed_cache_ends_its_watchers(b: Backend) {
    let (_tasks, caches, cache) = b.pods(Settings::default()).await;
    let mut watcher = watch(&cache, Filter::all()).await;
    caches.close("/registry/pods/");
    assert_eq!(soon(watcher.next()).await.unwrap().unwrap_err(), Ended::Stopped);
    b.store.create(bytes("/registry/pods/ns/a"), bytes(&pod("a", "", "web")), &Options::default()).await.unwrap();
    assert_eq!(caches.revision().await.unwrap(), b.store.revision().await.unwrap());
}

pub async fn a_new_cache_knows_the_history_the_store_still_has(b: Backend) {
    let first = b.create("/registry/pods/ns/a", &pod("a", "n1", "web")).await;
    let second = b.update("/registry/pods/ns/a", first, &pod("a", "n2", "web")).await;
    b.create("/registry/pods/ns/b", &pod("b", "", "web")).await;
    let gone = b.remove("/registry/pods/ns/a").await;
    let (_tasks, caches, cache) = b.pods(Settings::default()).await;
    soon(caches.ready()).await;
    let mut watcher = cache.watch(request(Start::After(first), labelled("web"))).await.unwrap();
    let last = b.create("/registry/pods/ns/c", &pod("c", "", "web")).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let notice = notice(&mut watcher).await;
        seen.push((notice.kind, notice.revision, notice.item.field("spec.nodeName").map(str::to_owned)));
    }
    let on = |node: &str| Some(node.to_owned());
    let (added, modified, deleted) = (EventKind::Added, EventKind::Modified, EventKind::Deleted);
    let want =
        [(modified, second, on("n2")), (added, second + 1, on("")), (deleted, gone, on("n2")), (added, last, on(""))];
    assert_eq!(seen, want);
}

pub async fn a_new_cache_does_not_invent_compacted_history(b: Backend) {
    let first = b.create("/registry/pods/ns/a", &pod("a", "n1", "web")).await;
    let second = b.update("/registry/pods/ns/a", first, &pod("a", "n2", "web")).await;
    b.store.compact(second).await.unwrap();
    let third = b.update("/registry/pods/ns/a", second, &pod("a", "n3", "web")).await;
    let (_tasks, caches, cache) = b.pods(Settings::default()).await;
    soon(caches.ready()).await;
    let ended = soon(cache.watch(request(Start::After(first), Filter::all())).await.unwrap().next()).await;
    assert!(matches!(ended, Some(Err(Ended::Expired { .. }))), "{ended:?}");
    let mut watcher = cache.watch(request(Start::After(second), Filter::all())).await.unwrap();
    let notice = notice(&mut watcher).await;
    assert_eq!((notice.kind, notice.revision), (EventKind::Modified, third));
}
