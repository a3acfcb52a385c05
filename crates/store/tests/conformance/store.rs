//! What a store promises about reads and writes.

use std::sync::Arc;

use nakhoda_store::{Commit, Compare, Error, Fence, List, Next, Op, Options, Txn, update_with};

use super::harness::{Backend, bytes};

fn under(prefix: &str) -> List {
    List { prefix: bytes(prefix), ..List::default() }
}

pub async fn each_write_is_one_revision(b: Backend) {
    let start = b.store.revision().await.unwrap();
    let first = b.create("/a/1", "x").await;
    assert_eq!(first, start + 1);
    assert_eq!(b.update("/a/1", first, "y").await, start + 2);
    assert_eq!(b.remove("/a/1").await, start + 3);
    assert_eq!(b.store.revision().await.unwrap(), start + 3);
    let again = b.create("/a/1", "z").await;
    let entry = b.store.get(b"/a/1").await.unwrap().entry.unwrap();
    assert_eq!((entry.created, entry.revision, &entry.value[..]), (again, again, &b"z"[..]));
}

pub async fn a_key_is_created_once(b: Backend) {
    let revision = b.create("/a/1", "x").await;
    let error = b.store.create(bytes("/a/1"), bytes("y"), &Options::default()).await.unwrap_err();
    let Error::Exists { current } = error else { panic!("{error:?}") };
    assert_eq!((current.revision, &current.value[..]), (revision, &b"x"[..]));
    assert_eq!(b.store.revision().await.unwrap(), revision);
}

pub async fn an_update_needs_the_current_revision(b: Backend) {
    let options = Options::default();
    let first = b.create("/a/1", "x").await;
    let second = b.update("/a/1", first, "y").await;
    let error = b.store.update(bytes("/a/1"), first, bytes("z"), &options).await.unwrap_err();
    let Error::Conflict { current: Some(current) } = error else { panic!("{error:?}") };
    assert_eq!((current.created, current.revision, &current.value[..]), (first, second, &b"y"[..]));
    let error = b.store.update(bytes("/a/2"), first, bytes("z"), &options).await.unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
}

pub async fn a_delete_needs_the_current_revision(b: Backend) {
    let options = Options::default();
    let first = b.create("/a/1", "x").await;
    let second = b.update("/a/1", first, "y").await;
    let error = b.store.delete(bytes("/a/1"), first, &options).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { current: Some(_) }), "{error:?}");
    assert_eq!(b.store.delete(bytes("/a/1"), second, &options).await.unwrap(), second + 1);
    let read = b.store.get(b"/a/1").await.unwrap();
    assert!(read.entry.is_none() && read.revision == second + 1);
    let error = b.store.delete(bytes("/a/1"), second, &options).await.unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    let error = b.store.remove(bytes("/a/1"), &options).await.unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
}

pub async fn pages_of_a_list_share_a_revision(b: Backend) {
    for name in ["a", "b", "c", "d", "e"] {
        b.create(&format!("/p/{name}"), name).await;
    }
    let first = b.store.list(List { limit: Some(2), ..under("/p/") }).await.unwrap();
    assert!(first.more && first.count == 5 && first.entries.len() == 2);
    b.remove("/p/d").await;
    b.create("/p/cc", "new").await;
    let from = Some(bytes("/p/b\0"));
    let rest = b.store.list(List { at: Some(first.revision), from, ..under("/p/") }).await.unwrap();
    let keys: Vec<_> = rest.entries.iter().map(|entry| &entry.key[..]).collect();
    assert_eq!(keys, [b"/p/c", b"/p/d", b"/p/e"]);
    assert!(!rest.more && rest.count == 3 && rest.revision == first.revision);
}

pub async fn a_list_keeps_to_its_prefix(b: Backend) {
    for key in ["/p", "/p/1", "/p/2", "/p0", "/q/1"] {
        b.create(key, "x").await;
    }
    let listing = b.store.list(under("/p/")).await.unwrap();
    assert_eq!(listing.entries.len(), 2);
    assert_eq!(b.store.list(under("")).await.unwrap().entries.len(), 5);
    let none = b.store.list(under("/none/")).await.unwrap();
    assert!(none.entries.is_empty() && !none.more && none.revision == listing.revision);
}

pub async fn the_past_can_be_listed_until_compacted(b: Backend) {
    let first = b.create("/p/1", "x").await;
    let second = b.update("/p/1", first, "y").await;
    b.remove("/p/1").await;
    let at = |revision| List { at: Some(revision), ..under("/p/") };
    assert_eq!(&b.store.list(at(first)).await.unwrap().entries[0].value[..], b"x");
    assert_eq!(&b.store.list(at(second)).await.unwrap().entries[0].value[..], b"y");
    assert!(b.store.list(at(second + 1)).await.unwrap().entries.is_empty());
    let error = b.store.list(at(second + 9)).await.unwrap_err();
    assert!(matches!(error, Error::Future { requested, .. } if requested == second + 9), "{error:?}");
    b.store.compact(second).await.unwrap();
    let error = b.store.list(at(first)).await.unwrap_err();
    assert!(matches!(error, Error::Compacted { requested, .. } if requested == first), "{error:?}");
    assert_eq!(&b.store.list(at(second)).await.unwrap().entries[0].value[..], b"y");
    let error = b.store.compact(second).await.unwrap_err();
    assert!(matches!(error, Error::Compacted { .. }), "{error:?}");
    let error = b.store.compact(second + 9).await.unwrap_err();
    assert!(matches!(error, Error::Future { .. }), "{error:?}");
}

pub async fn a_transaction_is_all_or_nothing(b: Backend) {
    let taken = b.create("/ip/10", "pod").await;
    let put = |key: &str| Op::Put { key: bytes(key), value: bytes("x"), ttl: None };
    let claim = |key: &str| Options {
        when: vec![Compare { key: bytes(key), revision: 0 }],
        also: vec![put(key)],
        ..Options::default()
    };
    let error = b.store.create(bytes("/svc/a"), bytes("a"), &claim("/ip/10")).await.unwrap_err();
    let Error::Condition { key, current: Some(current) } = error else { panic!("{error:?}") };
    assert_eq!((&key[..], current.revision), (&b"/ip/10"[..], taken));
    assert!(b.store.get(b"/svc/a").await.unwrap().entry.is_none());
    let revision = b.store.create(bytes("/svc/a"), bytes("a"), &claim("/ip/11")).await.unwrap();
    assert_eq!(b.store.get(b"/ip/11").await.unwrap().entry.unwrap().revision, revision);
    let ops = vec![Op::Delete { key: bytes("/svc/a") }, Op::Delete { key: bytes("/ip/11") }];
    let compares = vec![Compare { key: bytes("/svc/a"), revision }];
    let Commit::Done { revision: gone } = b.store.commit(Txn { compares, ops }).await.unwrap() else { panic!() };
    assert_eq!(gone, revision + 1);
    let nothing = Txn { compares: Vec::new(), ops: vec![Op::Delete { key: bytes("/none") }] };
    let Commit::Done { revision: same } = b.store.commit(nothing).await.unwrap() else { panic!() };
    assert_eq!(same, gone);
}

pub async fn a_fence_outlives_renewals_but_not_a_takeover(b: Backend) {
    let lease = b.create("/leases/x", "alice 1").await;
    let fence = Arc::new(Fence::new(bytes("/leases/x"), |value| value.starts_with(b"alice ")));
    let options = Options { fence: Some(fence), ..Options::default() };
    let first = b.store.create(bytes("/a/1"), bytes("x"), &options).await.unwrap();
    let renewed = b.update("/leases/x", lease, "alice 2").await;
    let second = b.store.update(bytes("/a/1"), first, bytes("y"), &options).await.unwrap();
    b.update("/leases/x", renewed, "alice 3").await;
    let error = b.store.update(bytes("/a/1"), first, bytes("z"), &options).await.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
    b.remove("/leases/x").await;
    b.create("/leases/x", "bob 1").await;
    let error = b.store.update(bytes("/a/1"), second, bytes("z"), &options).await.unwrap_err();
    assert!(matches!(error, Error::Fenced), "{error:?}");
    b.remove("/leases/x").await;
    let error = b.store.delete(bytes("/a/1"), second, &options).await.unwrap_err();
    assert!(matches!(error, Error::Fenced), "{error:?}");
}

pub async fn concurrent_updates_all_count(b: Backend) {
    let workers = (0..8).map(|_| {
        let store = b.store.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                let add = |current: Option<nakhoda_store::Entry>| async move {
                    let number =
                        current.map_or(0, |entry| std::str::from_utf8(&entry.value).unwrap().parse::<u32>().unwrap());
                    Ok::<_, Error>(Next::Put((number + 1).to_string().into()))
                };
                update_with(&*store, &bytes("/n"), None, &Options::default(), add).await.unwrap();
            }
        })
    });
    futures::future::join_all(workers).await.into_iter().for_each(|done| done.unwrap());
    assert_eq!(&b.store.get(b"/n").await.unwrap().entry.unwrap().value[..], b"80");
}

pub async fn a_stale_hint_does_no_harm(b: Backend) {
    let first = b.create("/a/1", "old").await;
    let hint = b.store.get(b"/a/1").await.unwrap().entry;
    let second = b.update("/a/1", first, "new").await;
    let refuse_old = |current: Option<nakhoda_store::Entry>| async move {
        match &current.unwrap().value[..] {
            b"old" => Err(Error::corrupt("refused for what is past")),
            _ => Ok(Next::Keep),
        }
    };
    let kept = update_with(&*b.store, &bytes("/a/1"), hint.clone(), &Options::default(), refuse_old).await.unwrap();
    assert_eq!(kept.revision, second);
    let delete = |_| async { Ok::<_, Error>(Next::Delete) };
    let gone = update_with(&*b.store, &bytes("/a/1"), hint, &Options::default(), delete).await.unwrap();
    assert_eq!(&gone.before.unwrap().value[..], b"new");
}
