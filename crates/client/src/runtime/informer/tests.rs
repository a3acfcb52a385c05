use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_api::kinds::meta::ObjectMeta;

use super::*;
use crate::memory::Memory;

fn config(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { namespace: Some("a".into()), name: Some(name.into()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

#[tokio::test]
async fn one_watch_serves_the_whole_process() {
    let (memory, tasks) = (Memory::new(), Tasks::new());
    let api = memory.client().all::<ConfigMap>();
    api.create(&config("x")).await.expect("created");
    let informers = Informers::new(memory.client(), tasks.clone());
    let (one, other) = (informers.of::<ConfigMap>(), informers.of::<ConfigMap>());
    one.synced().await;
    assert!(other.is_synced() && other.get(&Key::new("a", "x")).is_some());
    assert_eq!(memory.calls().iter().filter(|c| **c == "watch").count(), 1);
    tasks.stop();
}

#[tokio::test]
async fn a_late_subscriber_gets_what_is_there_and_then_every_change() {
    let (memory, tasks) = (Memory::new(), Tasks::new());
    let api = memory.client().all::<ConfigMap>();
    api.create(&config("x")).await.expect("created");
    let informer = Informers::new(memory.client(), tasks.clone()).of::<ConfigMap>();
    informer.synced().await;
    let mut changes = informer.subscribe();
    assert!(matches!(changes.recv().await, Some(Change::Added(c)) if c.name() == "x"));
    api.create(&config("y")).await.expect("created");
    assert!(matches!(changes.recv().await, Some(Change::Added(c)) if c.name() == "y"));
    let mut changed = config("y");
    changed.immutable = Some(true);
    api.update(&changed).await.expect("updated");
    assert!(matches!(changes.recv().await, Some(Change::Updated { new, .. }) if new.immutable == Some(true)));
    tasks.stop();
}

#[tokio::test]
async fn a_selection_sees_objects_come_and_go() {
    let (memory, tasks) = (Memory::new(), Tasks::new());
    let api = memory.client().all::<ConfigMap>();
    let informers = Informers::new(memory.client(), tasks.clone());
    let informer = informers.select::<ConfigMap>(Some("a"), Selection::labels("app=web"));
    informer.synced().await;
    let mut changes = informer.subscribe();
    let mut object = config("x");
    api.create(&object).await.expect("created");
    object.metadata.labels = Some([("app".to_owned(), "web".to_owned())].into());
    api.update(&object).await.expect("updated");
    assert!(matches!(changes.recv().await, Some(Change::Added(_))));
    object.metadata.labels = None;
    api.update(&object).await.expect("updated");
    assert!(matches!(changes.recv().await, Some(Change::Deleted(_))));
    tasks.stop();
}
