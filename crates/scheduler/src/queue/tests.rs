use super::*;
use crate::fixtures::{PodBuilder, info, pod};

fn put(queue: &mut Queue, pod: PodBuilder, now: Instant) {
    let pod = info(pod);
    let rank = pod.priority.into();
    queue.put(pod, rank, true, now);
}

fn pop(queue: &mut Queue, now: Instant) -> Option<String> {
    queue.pop(now).map(|pod| pod.uid.clone())
}

fn after(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

#[test]
fn the_highest_rank_goes_first_and_of_equals_the_oldest() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    put(&mut queue, pod("a"), now);
    put(&mut queue, pod("b"), now);
    put(&mut queue, pod("c").priority(5), now);
    let order: Vec<_> = std::iter::from_fn(|| pop(&mut queue, now)).collect();
    assert_eq!(order, ["c", "a", "b"]);
}

#[test]
fn a_refused_pod_waits_for_news_that_helps_it() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    put(&mut queue, pod("a"), start);
    pop(&mut queue, start);
    queue.refuse("a", vec!["X"], start);
    queue.news(after(start, 2000), |_, by| by.contains(&"Y"));
    assert_eq!(pop(&mut queue, after(start, 2000)), None);
    queue.news(after(start, 2000), |_, by| by.contains(&"X"));
    assert_eq!(pop(&mut queue, after(start, 2000)).as_deref(), Some("a"));
}

#[test]
fn helpful_news_beats_the_backoff_when_nothing_else_waits_but_an_error_does_not() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    put(&mut queue, pod("a"), start);
    pop(&mut queue, start);
    queue.refuse("a", vec!["X"], start);
    queue.news(after(start, 10), |_, _| true);
    assert_eq!(queue.lengths().backoff, 1);
    assert_eq!(pop(&mut queue, after(start, 10)).as_deref(), Some("a"));
    queue.fail("a", after(start, 10));
    assert_eq!(pop(&mut queue, after(start, 100)), None);
    assert_eq!(queue.next_due(), Some(after(start, 2010)));
    assert_eq!(pop(&mut queue, after(start, 2010)).as_deref(), Some("a"));
}

#[test]
fn without_news_a_pod_is_tried_after_five_minutes() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    put(&mut queue, pod("a"), start);
    pop(&mut queue, start);
    queue.refuse("a", vec!["X"], start);
    assert_eq!(pop(&mut queue, after(start, 299_999)), None);
    assert_eq!(pop(&mut queue, after(start, 300_000)).as_deref(), Some("a"));
}

#[test]
fn a_new_status_is_no_news_and_a_new_spec_is() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    let late = after(start, 5000);
    put(&mut queue, pod("a"), start);
    pop(&mut queue, start);
    queue.refuse("a", vec!["X"], start);
    put(&mut queue, pod("a"), late);
    assert_eq!(pop(&mut queue, late), None);
    put(&mut queue, pod("a").tolerate("k", "Exists"), late);
    assert_eq!(pop(&mut queue, late).as_deref(), Some("a"));
}

#[test]
fn a_gated_pod_comes_in_when_its_gates_open() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.put(info(pod("a").gate("x")), 0, false, now);
    assert_eq!((pop(&mut queue, now), queue.lengths().gated), (None, 1));
    put(&mut queue, pod("a"), now);
    assert_eq!(pop(&mut queue, now).as_deref(), Some("a"));
    queue.remove("a");
    assert_eq!(queue.lengths(), Lengths::default());
}
