use nakhoda_api::kinds::core::ConfigMap;

use super::*;
use crate::memory::Memory;

fn campaign(memory: &Memory, tasks: &Tasks, identity: &str) -> watch::Receiver<Leadership> {
    run(tasks, &memory.client(), Key::new("kube-system", "x"), identity, Settings::default())
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_the_next_takes_over_once_it_stops() {
    let (memory, first, second) = (Memory::new(), Tasks::new(), Tasks::new());
    let mut one = campaign(&memory, &first, "one");
    let fence = lead(&mut one).await.expect("leads");
    assert_eq!((fence.holder.as_str(), fence.transitions), ("one", 0));
    let mut two = campaign(&memory, &second, "two");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(*two.borrow(), Leadership::Follower);
    first.stop();
    assert!(first.finished(Duration::from_secs(5)).await);
    let next = lead(&mut two).await.expect("leads");
    assert_eq!((next.holder.as_str(), next.transitions), ("two", 1));
    let write = memory.client().fenced(fence).namespaced::<ConfigMap>("a").create(&ConfigMap::default()).await;
    assert!(write.is_err_and(|e| e.is_conflict()));
    memory.client().fenced(next).namespaced::<ConfigMap>("a").create(&ConfigMap::default()).await.expect("in order");
    second.stop();
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_gives_up_and_returns_with_the_server() {
    let (memory, tasks) = (Memory::new(), Tasks::new());
    let mut leadership = campaign(&memory, &tasks, "one");
    let fence = lead(&mut leadership).await.expect("leads");
    memory.refuse_all(true);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(*leadership.borrow(), Leadership::Leader(fence.clone()));
    lose(&mut leadership, &fence).await;
    memory.refuse_all(false);
    assert_eq!(lead(&mut leadership).await, Some(fence));
    tasks.stop();
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_killed_leads_again_at_once_and_its_old_fence_is_void() {
    let (memory, killed, next) = (Memory::new(), Tasks::new(), Tasks::new());
    let mut before = campaign(&memory, &killed, "one");
    let old = lead(&mut before).await.expect("leads");
    let start = Instant::now();
    let mut after = campaign(&memory, &next, "one");
    let new = lead(&mut after).await.expect("leads");
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(new.transitions, old.transitions + 1);
    lose(&mut before, &old).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((before.borrow().clone(), after.borrow().clone()), (Leadership::Follower, Leadership::Leader(new)));
    killed.stop();
    next.stop();
}
