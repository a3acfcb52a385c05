use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_api::kinds::meta::ObjectMeta;

use super::*;
use crate::memory::Memory;
use crate::resource::Resource;

fn config(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { namespace: Some("a".into()), name: Some(name.into()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

async fn create(memory: &Memory, name: &str) {
    memory.client().all().create(&config(name)).await.expect("created");
}

fn told(event: &Event<ConfigMap>) -> String {
    match event {
        Event::Replaced(all) => format!("={}", all.iter().map(Resource::name).collect::<Vec<_>>().join(",")),
        Event::Applied(one) => format!("+{}", one.name()),
        Event::Deleted(one) => format!("-{}", one.name()),
    }
}

async fn next(watcher: &mut Watcher<ConfigMap>) -> String {
    watcher.next().await.map_or_else(|e| format!("!{}", e.status().map_or(0, |s| s.code)), |e| told(&e))
}

#[tokio::test(start_paused = true)]
async fn it_takes_the_state_and_then_follows() {
    let memory = Memory::new();
    create(&memory, "x").await;
    let mut watcher = Watcher::new(memory.client().all(), Selection::default());
    assert_eq!(next(&mut watcher).await, "=x");
    create(&memory, "y").await;
    assert_eq!(next(&mut watcher).await, "+y");
    memory.client().namespaced::<ConfigMap>("a").delete("x", &Default::default()).await.expect("deleted");
    assert_eq!(next(&mut watcher).await, "-x");
}

#[tokio::test(start_paused = true)]
async fn after_a_break_it_resumes_without_reading_everything_again() {
    let memory = Memory::new();
    create(&memory, "x").await;
    let mut watcher = Watcher::new(memory.client().all(), Selection::default());
    assert_eq!(next(&mut watcher).await, "=x");
    memory.break_watches();
    create(&memory, "y").await;
    assert_eq!(next(&mut watcher).await, "+y");
}

#[tokio::test(start_paused = true)]
async fn when_its_place_is_forgotten_it_starts_over() {
    let memory = Memory::new();
    create(&memory, "x").await;
    let mut watcher = Watcher::new(memory.client().all(), Selection::default());
    assert_eq!(next(&mut watcher).await, "=x");
    memory.break_watches();
    create(&memory, "y").await;
    memory.compact();
    assert_eq!(next(&mut watcher).await, "!410");
    assert_eq!(next(&mut watcher).await, "=x,y");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_stream_the_state_is_listed() {
    let memory = Memory::new();
    memory.refuse_initial_events(true);
    create(&memory, "x").await;
    let mut watcher = Watcher::new(memory.client().all(), Selection::default());
    assert_eq!(next(&mut watcher).await, "=x");
    create(&memory, "y").await;
    assert_eq!(next(&mut watcher).await, "+y");
    assert_eq!(memory.calls(), ["create", "watch", "list", "create", "watch"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_is_asked_ever_less_often() {
    let memory = Memory::new();
    memory.refuse_all(true);
    let mut watcher = Watcher::<ConfigMap>::new(memory.client().all(), Selection::default());
    let start = tokio::time::Instant::now();
    for _ in 0..8 {
        assert_eq!(next(&mut watcher).await, "!503");
    }
    assert!(start.elapsed() >= Duration::from_secs(12), "{:?}", start.elapsed());
    memory.refuse_all(false);
    assert_eq!(next(&mut watcher).await, "=");
}
