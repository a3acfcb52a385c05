use futures::StreamExt;
use nakhoda_store::cache::{EventKind, WatchItem, Watcher};
use serde_json::json;

use crate::request::{Action, ListOptions, WatchOptions};
use crate::response::Answer;
use crate::testing::{Server, target};

async fn watch(server: &Server, options: WatchOptions) -> Watcher {
    let target = target(server.pipeline.kinds(), "configmaps", "default", "");
    match server.call(target, Action::Watch(options)).await.expect("a watch").answer {
        Answer::Watch { watcher, .. } => watcher,
        _ => panic!("a watch answers with a watch"),
    }
}

async fn next(watcher: &mut Watcher) -> (EventKind, String) {
    match watcher.next().await {
        Some(Ok(WatchItem::Notice(notice))) => (notice.kind, notice.item.name().to_owned()),
        other => panic!("expected an event, got {other:?}"),
    }
}

#[tokio::test]
async fn what_is_there_comes_first_then_every_change() {
    let server = Server::start().await;
    server.create("configmaps", "default", &json!({"metadata": {"name": "a"}})).await.expect("made");
    let options =
        WatchOptions { bookmarks: true, send_initial_events: Some(true), list: not_older(), ..WatchOptions::default() };
    let mut watcher = watch(&server, options).await;
    assert_eq!(next(&mut watcher).await, (EventKind::Added, "a".into()));
    assert!(matches!(watcher.next().await, Some(Ok(WatchItem::Bookmark { initial_events_end: true, .. }))));
    server.patch("configmaps", "default", "a", &json!({"data": {"k": "v"}})).await.expect("patched");
    assert_eq!(next(&mut watcher).await, (EventKind::Modified, "a".into()));
    server.delete("configmaps", "default", "a", &json!({})).await.expect("deleted");
    assert_eq!(next(&mut watcher).await, (EventKind::Deleted, "a".into()));
}

fn not_older() -> ListOptions {
    ListOptions { resource_version_match: "NotOlderThan".into(), ..ListOptions::default() }
}

#[tokio::test]
async fn a_watch_from_a_revision_tells_what_came_after_it() {
    let server = Server::start().await;
    let first = server.create("configmaps", "default", &json!({"metadata": {"name": "a"}})).await.expect("made");
    server.create("configmaps", "default", &json!({"metadata": {"name": "b"}})).await.expect("made");
    let version = first["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let list = ListOptions { resource_version: version, ..ListOptions::default() };
    let mut watcher = watch(&server, WatchOptions { list, ..WatchOptions::default() }).await;
    assert_eq!(next(&mut watcher).await, (EventKind::Added, "b".into()));
}

#[tokio::test]
async fn an_object_that_leaves_the_selection_is_deleted_for_the_watcher() {
    let server = Server::start().await;
    let object = json!({"metadata": {"name": "a", "labels": {"l": "x"}}});
    server.create("configmaps", "default", &object).await.expect("made");
    let list = ListOptions { labels: "l=x".into(), ..ListOptions::default() };
    let mut watcher = watch(&server, WatchOptions { list, ..WatchOptions::default() }).await;
    assert_eq!(next(&mut watcher).await, (EventKind::Added, "a".into()));
    server.patch("configmaps", "default", "a", &json!({"metadata": {"labels": {"l": "y"}}})).await.expect("patched");
    assert_eq!(next(&mut watcher).await, (EventKind::Deleted, "a".into()));
}

#[tokio::test]
async fn initial_events_need_the_right_match() {
    let server = Server::start().await;
    let target = target(server.pipeline.kinds(), "configmaps", "default", "");
    let options = WatchOptions { send_initial_events: Some(true), ..WatchOptions::default() };
    let refused = server.call(target, Action::Watch(options)).await.err().expect("refused");
    assert!(
        refused.message.contains("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        "{refused}"
    );
}
