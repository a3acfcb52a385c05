use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use futures::poll;
use nakhoda_api::GroupVersionResource;
use serde_json::json;

use super::*;
use crate::request::{Accept, Action, Caller, ResourceTarget, Target};
use crate::testing::Server;

fn request() -> Request {
    let gvr = GroupVersionResource::new("", "v1", "pods");
    let target =
        Target::Resource(ResourceTarget { gvr, namespace: "a".into(), name: "b".into(), ..ResourceTarget::default() });
    let action = Action::Get { resource_version: String::new() };
    Request {
        target,
        action,
        caller: Caller { flow: Some(Slot::default()), ..Caller::default() },
        accept: Accept::default(),
    }
}

fn user(name: &str, group: &str) -> User {
    User { name: name.into(), groups: vec![group.into()], ..User::default() }
}

/// So many queues one flow has at the level of everybody.
const HAND: usize = 6;

type Entering<'a> = Pin<Box<dyn Future<Output = Result<Option<Place>, Status>> + 'a>>;

/// A server whose flow control has so many seats.
async fn with_seats(seats: usize) -> (Server, Flow) {
    let server = Server::empty().await;
    let flow = Flow::new(seats, &server.metrics);
    (server, flow)
}

#[tokio::test(start_paused = true)]
async fn a_flooding_client_does_not_starve_the_others() {
    // hundreds of waiters are polled by one task, which tokio's budget would call a day's work
    tokio::task::unconstrained(flood()).await;
}

async fn flood() {
    let (server, flow) = with_seats(13).await;
    let (storage, asked) = (server.pipeline.storage(), request());
    let (flood, calm) = (user("flood", "system:authenticated"), user("calm", "system:authenticated"));
    let seats = flow.inner.config.load().levels["global-default"].settings().nominal;
    assert_eq!(seats, 2, "few enough to be filled");
    let mut held = vec![flow.enter(&asked, &flood, storage).await.expect("a place")];
    let mut waiting: Vec<Entering<'_>> = Vec::new();
    let mut refused = 0;
    for _ in 0..400 {
        let mut entering: Entering<'_> = Box::pin(flow.enter(&asked, &flood, storage));
        match poll!(&mut entering) {
            Poll::Pending => waiting.push(entering),
            Poll::Ready(Ok(place)) => held.push(place),
            Poll::Ready(Err(status)) => {
                assert_eq!((status.code, status.retry_after()), (429, Some(1)));
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && waiting.len() >= 300, "its own hand of queues is full: {} wait", waiting.len());
    let mut entering: Entering<'_> = Box::pin(flow.enter(&asked, &calm, storage));
    assert!(poll!(&mut entering).is_pending(), "there is no seat");
    let mut served = false;
    for _ in 0..=HAND {
        held.pop();
        served = poll!(&mut entering).is_ready();
        if served {
            break;
        }
        for at in (0..waiting.len()).rev() {
            if let Poll::Ready(place) = poll!(&mut waiting[at]) {
                held.push(place.expect("a place"));
                drop(waiting.swap_remove(at));
            }
        }
    }
    assert!(served, "each of the flood's queues has one turn at most, not three hundred");
    let text = server.metrics.text();
    let rejected = "apiserver_flowcontrol_rejected_requests_total{priority_level=\"global-default\",flow_schema=\"global-default\",reason=\"queue-full\"}";
    assert!(text.contains(rejected), "{text}");
}

#[tokio::test]
async fn administrators_never_wait_and_who_gives_up_leaves_no_trace() {
    let (server, flow) = with_seats(13).await;
    let (storage, asked) = (server.pipeline.storage(), request());
    let jane = user("jane", "system:authenticated");
    let held = [flow.enter(&asked, &jane, storage).await, flow.enter(&asked, &jane, storage).await];
    assert!(held.iter().all(Result::is_ok));
    let admin = flow.enter(&asked, &user("admin", "system:masters"), storage).await;
    assert!(admin.is_ok_and(|place| place.is_none()));
    let mut gone: Entering<'_> = Box::pin(flow.enter(&asked, &jane, storage));
    assert!(poll!(&mut gone).is_pending());
    let mut next: Entering<'_> = Box::pin(flow.enter(&asked, &jane, storage));
    assert!(poll!(&mut next).is_pending());
    drop(gone);
    drop(held);
    assert!(poll!(&mut next).is_ready());
}

#[tokio::test]
async fn a_schema_of_ones_own_decides_and_is_told() {
    let (server, flow) = with_seats(600).await;
    let schema: FlowSchema = serde_json::from_value(json!({
        "metadata": {"name": "mine", "uid": "s-1"},
        "spec": {"matchingPrecedence": 50, "priorityLevelConfiguration": {"name": "small"}, "rules": [{
            "subjects": [{"kind": "User", "user": {"name": "jane"}}],
            "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["a"]}],
        }]},
    }))
    .expect("a schema");
    let level: PriorityLevelConfiguration = serde_json::from_value(json!({
        "metadata": {"name": "small", "uid": "l-1"},
        "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0, "limitResponse": {"type": "Reject"}}},
    }))
    .expect("a level");
    flow.configure(&[schema], &[level]);
    let (asked, storage) = (request(), server.pipeline.storage());
    let refused = flow.enter(&asked, &user("jane", "system:authenticated"), storage).await;
    assert!(refused.is_err_and(|status| status.code == 429), "no shares, no seats");
    let told = asked.caller.flow.as_ref().and_then(|slot| slot.get()).expect("classified");
    assert_eq!((told.schema.as_str(), told.level.as_str()), ("s-1", "l-1"));
    flow.enter(&request(), &user("john", "system:authenticated"), storage).await.expect("falls to the mandatory level");
}

/// `cargo test --release -- --ignored --nocapture uncontended`
#[tokio::test]
#[ignore = "prints a figure"]
async fn the_uncontended_way_in_costs_little() {
    let (server, flow) = with_seats(600).await;
    let (asked, jane) = (request(), user("jane", "system:authenticated"));
    let begun = std::time::Instant::now();
    for _ in 0..100_000 {
        drop(flow.enter(&asked, &jane, server.pipeline.storage()).await);
    }
    eprintln!("{:?} for each of 100,000", begun.elapsed() / 100_000);
}
