//! An etcd of several members, and one that comes back as it was before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{Caches, Settings};
use nakhoda_store::etcd::{Config, Etcd};
use nakhoda_store::{Options, Store};

use super::harness::{self, Member, bytes, pod, shape, soon};

const PREFIX: &str = "/registry/pods/";

/// Makes one object after the other until it is told to stop: the names of those that were acknowledged.
async fn write(store: &dyn Store, stop: &AtomicBool, written: &tokio::sync::watch::Sender<usize>) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("ns/p{number}");
        let value = bytes(&pod(&name, "", "web"));
        if store.create(bytes(&format!("{PREFIX}{name}")), value, &Options::default()).await.is_ok() {
            names.push(name);
            written.send_replace(names.len());
        }
    }
    names
}

async fn leader(etcd: &Etcd) -> String {
    loop {
        let members = etcd.members().await.unwrap_or_default();
        if let Some(member) = members.iter().find(|member| member.state.as_ref().is_ok_and(|state| state.leads)) {
            return member.name.clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_members_go_on_without_their_leader_and_nothing_is_lost() {
    let mut members = Member::three();
    let endpoints = members.iter().map(Member::endpoint).collect();
    let etcd = Arc::new(Etcd::new(&Config::plain(endpoints)).await.unwrap());
    let tasks = Tasks::new();
    let caches = Caches::start(etcd.clone(), tasks.clone(), Settings::default());
    let cache = caches.open(PREFIX, Arc::new(shape()));
    soon(cache.ready()).await;
    let (stop, (written, mut count)) = (Arc::new(AtomicBool::new(false)), tokio::sync::watch::channel(0));
    let writer = tokio::spawn({
        let (etcd, stop) = (etcd.clone(), stop.clone());
        async move { write(&*etcd, &stop, &written).await }
    });
    soon(count.wait_for(|count| *count >= 50)).await.unwrap();
    let leads = soon(leader(&etcd)).await;
    members[usize::from(leads.as_bytes()[1] - b'0')].stop();
    let before = *count.borrow();
    soon(count.wait_for(|count| *count >= before + 50)).await.unwrap();
    assert_ne!(soon(leader(&etcd)).await, leads);
    stop.store(true, Ordering::Relaxed);
    let names = writer.await.unwrap();
    let snapshot = soon(cache.fresh()).await.unwrap();
    let lost: Vec<_> = names.iter().filter(|name| snapshot.get(name).is_none()).collect();
    assert!(lost.is_empty(), "acknowledged, and gone: {lost:?}");
    assert_eq!(tasks.failure(), None);
    tasks.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etcd_that_was_restored_below_what_was_given_out_is_not_served() {
    let mut b = harness::etcd().await;
    let (tasks, _caches, cache) = b.pods(Settings::default()).await;
    b.create("/registry/pods/ns/a", &pod("a", "", "web")).await;
    b.member.as_mut().unwrap().save();
    let given_out = b.create("/registry/pods/ns/b", &pod("b", "", "web")).await;
    assert_eq!(soon(cache.fresh()).await.unwrap().revision(), given_out);
    b.member.as_mut().unwrap().restore();
    soon(tasks.stopping()).await;
    let told = tasks.failure().unwrap();
    assert!(told.contains(&format!("apiserver --raise-revision-above {given_out}")), "{told}");
    assert!(soon(cache.fresh()).await.is_err());
}

#[tokio::test]
async fn a_store_below_what_another_process_gave_out_is_not_served() {
    let b = harness::memory();
    let (tasks, _caches) = b.caches(Settings { floor: 4711, ..Settings::default() });
    soon(tasks.stopping()).await;
    assert!(tasks.failure().unwrap().contains("revision 4711 was given out before"));
}
