use std::time::Duration;

use nakhoda_api::kinds::core::{Event, PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_client::memory::Memory;
use nakhoda_client::{Change, Informer, Informers, Key, Patch, Selection};
use nakhoda_daemon::Tasks;
use nakhoda_daemon::metrics::Metrics;
use serde_json::json;

use super::*;
use crate::app;
use crate::config::Config;
use crate::deadlines;
use crate::fixtures::{NodeBuilder, PodBuilder, claim, gang, node, pod, pressure, volume, waiting_class};

/// A scheduler over an API server in memory.
struct World {
    memory: Memory,
    tasks: Tasks,
    pods: Informer<Pod>,
    events: Informer<Event>,
}

impl World {
    async fn new(nodes: impl IntoIterator<Item = NodeBuilder>) -> Self {
        let (memory, tasks) = (Memory::new(), Tasks::new());
        for node in nodes {
            memory.client().all().create(&node.build()).await.expect("created");
        }
        let informers = Informers::new(memory.client(), tasks.clone());
        let (pods, events) = (informers.of(), informers.of());
        app::schedule(&tasks, &memory.client(), &Config::named("default-scheduler"), &Metrics::default());
        Self { memory, tasks, pods, events }
    }

    async fn create(&self, pod: PodBuilder) {
        self.memory.client().all().create(&pod.build()).await.expect("created");
    }

    fn node_of(&self, name: &str) -> Option<String> {
        self.pods.get(&Key::new("default", name))?.spec.as_ref()?.node_name.clone()
    }

    async fn bound(&self, name: &str) -> String {
        eventually(|| self.node_of(name)).await
    }

    /// The message of an event with this reason about a pod.
    async fn event(&self, name: &str, reason: &str) -> String {
        eventually(|| {
            let events = self.events.list();
            let found = events
                .iter()
                .find(|e| e.reason.as_deref() == Some(reason) && e.involved_object.name.as_deref() == Some(name));
            found.and_then(|e| e.message.clone())
        })
        .await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..10_000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never happened")
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_bound_and_told_of() {
    let world = World::new([node("n")]).await;
    world.create(pod("a")).await;
    assert_eq!(world.bound("a").await, "n");
    assert_eq!(world.event("a", "Scheduled").await, "Successfully assigned default/a to n");
}

#[tokio::test(start_paused = true)]
async fn a_pod_of_another_scheduler_is_left_alone() {
    let world = World::new([node("n")]).await;
    let mut other = pod("other").build();
    other.spec.as_mut().expect("a spec").scheduler_name = Some("mine".into());
    world.memory.client().all().create(&other).await.expect("created");
    world.create(pod("a")).await;
    world.bound("a").await;
    assert_eq!(world.node_of("other"), None);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fits_nowhere_says_why_and_is_bound_once_there_is_room() {
    let world = World::new([node("n").cpu("1"), node("m").taint("k", "", "NoSchedule")]).await;
    world.create(pod("big").cpu("3")).await;
    let why = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). \
               no new claims to deallocate, preemption: \
               0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
    assert_eq!(world.event("big", "FailedScheduling").await, why);
    world.memory.client().all().create(&node("new").build()).await.expect("created");
    assert_eq!(world.bound("big").await, "new");
}

#[tokio::test(start_paused = true)]
async fn without_nodes_pods_wait_for_the_first() {
    let world = World::new([]).await;
    world.create(pod("a")).await;
    assert_eq!(world.event("a", "FailedScheduling").await, report::NO_NODES);
    world.memory.client().all().create(&node("n").build()).await.expect("created");
    assert_eq!(world.bound("a").await, "n");
}

#[tokio::test(start_paused = true)]
async fn bindings_that_fail_are_tried_again() {
    let world = World::new([node("n")]).await;
    world.create(pod("first")).await;
    world.bound("first").await;
    world.memory.refuse_binding(true);
    world.create(pod("a").cpu("4")).await;
    eventually(|| (world.memory.calls().iter().filter(|c| **c == "bind").count() > 2).then_some(())).await;
    world.memory.refuse_binding(false);
    assert_eq!(world.bound("a").await, "n");
}

#[tokio::test(start_paused = true)]
async fn an_older_state_of_a_bound_pod_is_not_scheduled_again() {
    let (memory, tasks) = (Memory::new(), Tasks::new());
    let client = memory.client();
    let (sender, mut bound) = mpsc::unbounded_channel();
    let claims = Informers::new(memory.client(), tasks.clone()).of();
    let actions = Actions::new(tasks.clone(), std::collections::HashMap::new(), sender, claims);
    let counts = Counts::new(&Metrics::default());
    let profiles = Config::named("default-scheduler").profiles;
    let mut engine = Engine::new(profiles, Queue::default(), client.clone(), actions, counts);
    engine.leading = Some(client.clone());
    client.all().create(&pod("a").build()).await.expect("created");
    engine.take_in(News::Node(Change::Added(Arc::new(node("n").build()))));
    engine.take_in(News::Pod(Change::Added(Arc::new(pod("a").build()))));
    assert!(engine.attempt(Instant::now()));
    engine.take_in(bound.recv().await.expect("told"));
    engine.take_in(News::Pod(Change::Added(Arc::new(pod("a").label("late", "news").build()))));
    assert!(!engine.attempt(Instant::now()));
    engine.take_in(News::Pod(Change::Added(Arc::new(pod("a").on("n").build()))));
    assert!(engine.cluster.holds("a") && !engine.cluster.is_assumed("a"));
    tasks.stop();
}

#[tokio::test(start_paused = true)]
async fn when_the_leader_stops_the_next_goes_on() {
    let world = World::new([node("n")]).await;
    world.create(pod("a")).await;
    world.bound("a").await;
    let next = Tasks::new();
    app::schedule(&next, &world.memory.client(), &Config::named("default-scheduler"), &Metrics::default());
    world.tasks.stop();
    world.create(pod("b")).await;
    let api = world.memory.client().namespaced::<Pod>("default");
    let bound = async {
        loop {
            let b = api.get("b").await.expect("is there");
            if b.spec.and_then(|s| s.node_name).is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), bound).await.expect("the second leads");
    let listed = world.memory.client().all::<Event>().list(&Selection::default()).await.expect("listed");
    assert!(listed.items.iter().any(|e| e.involved_object.name.as_deref() == Some("b")));
    next.stop();
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_waits_gets_a_volume_the_node_reaches_and_then_the_pod_is_bound() {
    let world = World::new([node("a").label("host", "a"), node("b").label("host", "b")]).await;
    let client = world.memory.client();
    client.all().create(&waiting_class("c")).await.expect("created");
    client.all().create(&volume("v", "c", Some("b"))).await.expect("created");
    let claims = client.namespaced::<PersistentVolumeClaim>("default");
    claims.create(&claim("data", "c")).await.expect("created");
    world.create(pod("p").claim("data")).await;
    let volumes = Informers::new(client.clone(), world.tasks.clone()).of::<PersistentVolume>();
    let owner = eventually(|| volumes.get(&Key::new("", "v"))?.spec.as_ref()?.claim_ref.clone()).await;
    assert_eq!(owner.name.as_deref(), Some("data"));
    assert_eq!(world.node_of("p"), None, "not before the claim is bound");
    let bound = json!({"status": {"phase": "Bound"}});
    claims.patch_sub::<PersistentVolumeClaim>("data", "status", &Patch::merge(&bound)).await.expect("patched");
    assert_eq!(world.bound("p").await, "b");
}

#[tokio::test(start_paused = true)]
async fn a_gang_is_placed_whole_or_not_at_all() {
    let world = World::new([node("a").cpu("2"), node("b").cpu("2")]).await;
    let client = world.memory.client();
    for (group, least) in [("big", 5), ("small", 3)] {
        client.all().create(&gang(group, least)).await.expect("created");
        for index in 0..least {
            world.create(pod(&format!("{group}-{index}")).cpu("1").member_of(group)).await;
        }
    }
    for index in 0..3 {
        world.bound(&format!("small-{index}")).await;
    }
    assert!((0..5).all(|index| world.node_of(&format!("big-{index}")).is_none()), "nothing is held for the big one");
    let groups = Informers::new(client.clone(), world.tasks.clone()).of::<PodGroup>();
    let told = |name: &str| {
        let group = groups.get(&Key::new("default", name))?;
        group.status.as_ref()?.conditions.as_ref()?.first().map(|c| c.status.clone())
    };
    assert_eq!(eventually(|| told("small")).await, "True");
    assert_eq!(eventually(|| told("big")).await, "False");
    client.all().create(&node("c").cpu("4").build()).await.expect("created");
    for index in 0..5 {
        world.bound(&format!("big-{index}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn others_leave_for_a_gang_only_if_that_makes_it_whole() {
    let world = World::new([node("a").cpu("2"), node("b").cpu("2")]).await;
    let client = world.memory.client();
    for name in ["x", "y"] {
        world.create(pod(name).cpu("2").priority(1)).await;
        world.bound(name).await;
    }
    client.all().create(&gang("huge", 3)).await.expect("created");
    client.all().create(&gang("right", 2)).await.expect("created");
    for index in 0..3 {
        world.create(pod(&format!("huge-{index}")).cpu("2").priority(9).member_of("huge")).await;
    }
    world.event("huge-0", "FailedScheduling").await;
    assert!(world.node_of("x").is_some() && world.node_of("y").is_some(), "nobody leaves for nothing");
    for index in 0..2 {
        world.create(pod(&format!("right-{index}")).cpu("2").priority(9).member_of("right")).await;
    }
    for index in 0..2 {
        world.bound(&format!("right-{index}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_deadline_is_over_is_told_of() {
    let world = World::new([node("n").cpu("1")]).await;
    world.create(pod("late").cpu("2").annotate("nakhoda.dev/start-before", "2020-01-01T00:00:00Z")).await;
    let told = world.event("late", "DeadlineMissed").await;
    assert_eq!(told, "it was to start by 2020-01-01T00:00:00Z and has no node yet");
    let condition = |pod: &Pod| {
        pod.status.as_ref()?.conditions.as_ref()?.iter().find(|c| c.type_ == "nakhoda.dev/DeadlineMet").cloned()
    };
    let told = eventually(|| condition(&*world.pods.get(&Key::new("default", "late"))?)).await;
    assert_eq!((told.status.as_str(), told.reason.as_deref()), ("False", Some("DeadlineMissed")));
    world.create(pod("wrong").annotate("nakhoda.dev/finish-before", "soon")).await;
    assert!(world.event("wrong", "InvalidDeadline").await.contains("is not an RFC 3339 time"));
    world.bound("wrong").await;
}

/// The deadline of the last is far, but it runs for almost as long: it has least time to lose.
#[tokio::test(start_paused = true)]
async fn of_two_gangs_that_wait_the_one_with_less_laxity_goes_first() {
    clock::simulated::begin(1);
    let world = World::new([node("full").cpu("1")]).await;
    let client = world.memory.client();
    let in_minutes = |minutes: i64| (clock::now() + jiff::SignedDuration::from_mins(minutes)).to_string();
    for (name, minutes, duration) in [("ample", 8, "1m"), ("any", 0, ""), ("urgent", 60, "55m")] {
        let mut group = gang(name, 2);
        if minutes > 0 {
            let wish = [(deadlines::FINISH, in_minutes(minutes)), (deadlines::DURATION, duration.into())];
            group.metadata.annotations = Some(wish.map(|(key, value)| (key.to_owned(), value)).into());
        }
        client.all().create(&group).await.expect("created");
        for index in 0..2 {
            world.create(pod(&format!("{name}-{index}")).cpu("2").member_of(name)).await;
        }
        world.event(&format!("{name}-1"), "FailedScheduling").await;
    }
    for (place, name) in ["urgent", "ample", "any"].into_iter().enumerate() {
        client.all().create(&node(&format!("n{place}")).cpu("4").build()).await.expect("created");
        for index in 0..2 {
            assert_eq!(world.bound(&format!("{name}-{index}")).await, format!("n{place}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_gang_that_cannot_start_in_time_is_told_so_pod_by_pod() {
    clock::simulated::begin(1);
    let world = World::new([node("n").cpu("1")]).await;
    let mut group = gang("g", 2);
    let start = (clock::now() + jiff::SignedDuration::from_mins(5)).to_string();
    group.metadata.annotations = Some([(deadlines::START.to_owned(), start)].into());
    world.memory.client().all().create(&group).await.expect("created");
    for name in ["a", "b"] {
        world.create(pod(name).cpu("2").member_of("g")).await;
    }
    for name in ["a", "b"] {
        assert!(world.event(name, "DeadlineMissed").await.ends_with("and has no node yet"));
    }
    assert!(world.node_of("a").is_none() && world.node_of("b").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_kept_from_a_node_where_tasks_wait_and_says_so() {
    let world = World::new([node("booked"), node("stalled")]).await;
    world.create(pod("sleeper").cpu("2").memory("4Gi").on("booked")).await;
    let report = pressure("stalled", 80, &[]);
    world.memory.client().all().create(&report).await.expect("created");
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.create(pod("p")).await;
    assert_eq!(world.bound("p").await, "booked");
    let condition = |pod: &Pod| {
        let mut all = pod.status.as_ref()?.conditions.as_ref()?.iter();
        all.find(|c| c.type_ == "nakhoda.dev/InterferenceAvoided")?.message.clone()
    };
    let told = eventually(|| condition(&*world.pods.get(&Key::new("default", "p"))?)).await;
    assert_eq!(told, "tasks wait on stalled (cpu: 80 % of the time)");
}

#[tokio::test(start_paused = true)]
async fn a_pod_goes_where_its_devices_are_and_the_claim_tells_of_it() {
    use nakhoda_api::kinds::resource::{DeviceClass, ResourceClaim, ResourceSlice};
    let world = World::new([node("a"), node("b"), node("c")]).await;
    let client = world.memory.client();
    let class: DeviceClass = serde_json::from_value(json!({"metadata": {"name": "gpu"}, "spec": {}})).expect("a class");
    client.all().create(&class).await.expect("created");
    let slice: ResourceSlice =
        serde_json::from_value(json!({"metadata": {"name": "s"}, "spec": {"driver": "d.io", "nodeName": "b",
        "pool": {"name": "b", "generation": 1, "resourceSliceCount": 1}, "devices": [{"name": "g0"}]}}))
        .expect("a slice");
    client.all().create(&slice).await.expect("created");
    for name in ["one", "two"] {
        let claim: ResourceClaim = serde_json::from_value(json!({"metadata": {"name": name, "namespace": "default"},
            "spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}}}))
        .expect("a claim");
        client.all().create(&claim).await.expect("created");
    }
    world.create(pod("p").claims_device("one")).await;
    assert_eq!(world.bound("p").await, "b");
    let claim = client.namespaced::<ResourceClaim>("default").get("one").await.expect("there");
    let status = claim.status.expect("written");
    assert_eq!(status.allocation.expect("written").devices.expect("some").results.expect("some")[0].device, "g0");
    assert_eq!(status.reserved_for.expect("written")[0].name, "p");
    assert_eq!(claim.metadata.finalizers, Some(vec!["resource.kubernetes.io/delete-protection".into()]));
    world.create(pod("q").claims_device("two")).await;
    let told = world.event("q", "FailedScheduling").await;
    assert!(told.starts_with("0/3 nodes are available: 3 cannot allocate all claims."), "{told}");
    let mut more = slice.clone();
    more.metadata.name = Some("t".into());
    (more.spec.node_name, more.spec.pool.name) = (Some("c".into()), "c".into());
    client.all().create(&more).await.expect("created");
    assert_eq!(world.bound("q").await, "c");
}
