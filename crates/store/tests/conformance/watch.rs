//! What a store promises about watches.

use futures::StreamExt;
use nakhoda_store::{Change, ChangeKind, ChangeStream, Error, Op, Txn, Watch};

use super::harness::{Backend, bytes, soon};

fn watch(prefix: &str, after: u64) -> Watch {
    Watch { prefix: bytes(prefix), after, previous: true }
}

/// The next changes, until there are so many.
async fn take(stream: &mut ChangeStream, count: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    while changes.len() < count {
        changes.extend(soon(stream.next()).await.unwrap().unwrap().changes);
    }
    changes
}

pub async fn a_put_tells_creation_from_change(b: Backend) {
    let start = b.store.revision().await.unwrap();
    let mut stream = b.store.watch(watch("/a/", start)).await.unwrap();
    let first = b.create("/a/1", "x").await;
    let second = b.update("/a/1", first, "y").await;
    let third = b.remove("/a/1").await;
    let fourth = b.create("/a/1", "z").await;
    let changes = take(&mut stream, 4).await;
    let kinds: Vec<_> = changes.iter().map(|change| (change.kind, change.revision, change.created)).collect();
    let (new, old) = (ChangeKind::Put { created: true }, ChangeKind::Put { created: false });
    assert_eq!(
        kinds,
        [(new, first, first), (old, second, first), (ChangeKind::Delete, third, 0), (new, fourth, fourth)]
    );
    let before: Vec<_> = changes.iter().map(|c| c.previous.as_ref().map(|entry| entry.value.clone())).collect();
    assert_eq!(before, [None, Some(bytes("x")), Some(bytes("y")), None]);
}

pub async fn a_watch_replays_the_past_exactly(b: Backend) {
    let mut revisions = Vec::new();
    for number in 0..20 {
        revisions.push(b.create(&format!("/a/{number}"), "x").await);
        b.create(&format!("/b/{number}"), "x").await;
    }
    let mut stream = b.store.watch(watch("/a/", revisions[4])).await.unwrap();
    let last = b.create("/a/last", "x").await;
    revisions.push(last);
    let seen: Vec<_> = take(&mut stream, 16).await.iter().map(|change| change.revision).collect();
    assert_eq!(seen, revisions[5..]);
}

pub async fn a_compacted_start_is_refused(b: Backend) {
    let first = b.create("/a/1", "x").await;
    let second = b.update("/a/1", first, "y").await;
    let third = b.update("/a/1", second, "z").await;
    b.store.compact(third).await.unwrap();
    let mut opened = match b.store.watch(watch("/a/", first)).await {
        Err(error) => return assert!(matches!(error, Error::Compacted { .. }), "{error:?}"),
        Ok(stream) => stream,
    };
    let error = soon(opened.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Compacted { .. }), "{error:?}");
}

pub async fn a_transaction_arrives_whole(b: Backend) {
    let start = b.store.revision().await.unwrap();
    let mut stream = b.store.watch(watch("/a/", start)).await.unwrap();
    let put = |key: String| Op::Put { key: key.into(), value: bytes("x"), ttl: None };
    let ops = (0..50).map(|number| put(format!("/a/{number}"))).collect();
    b.store.commit(Txn { compares: Vec::new(), ops }).await.unwrap();
    let batch = soon(stream.next()).await.unwrap().unwrap();
    assert_eq!((batch.changes.len(), batch.revision), (50, start + 1));
}

pub async fn the_whole_key_space_can_be_watched(b: Backend) {
    let start = b.store.revision().await.unwrap();
    let mut stream = b.store.watch(watch("", start)).await.unwrap();
    b.create("a", "x").await;
    b.create("\u{10ffff}", "x").await;
    b.create("\0", "x").await;
    let revisions: Vec<_> = take(&mut stream, 3).await.iter().map(|change| change.revision).collect();
    assert_eq!(revisions, [start + 1, start + 2, start + 3]);
}
