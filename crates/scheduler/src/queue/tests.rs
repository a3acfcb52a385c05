use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::fixtures::{PodBuilder, info, pod};

fn put(queue: &mut Queue, pod: PodBuilder, now: Instant) {
    let pod = info(pod);
    let rank = pod.priority.into();
    queue.put(pod, rank, None, true, now);
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
    queue.put(info(pod("a").gate("x")), 0, None, false, now);
    assert_eq!((pop(&mut queue, now), queue.lengths().gated), (None, 1));
    put(&mut queue, pod("a"), now);
    assert_eq!(pop(&mut queue, now).as_deref(), Some("a"));
    queue.remove("a");
    assert_eq!(queue.lengths(), Lengths::default());
}

#[test]
fn of_equals_the_one_whose_deadline_comes_first_goes_first() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let by = |seconds| Some(now + Duration::from_secs(seconds));
    for (name, priority, by) in [("plain", 0, None), ("late", 0, by(3000)), ("soon", 0, by(9)), ("vip", 5, None)] {
        queue.put(info(pod(name)), priority, by, true, now);
    }
    queue.put(info(pod("over")), 0, Some(now), true, now);
    let order: Vec<_> = std::iter::from_fn(|| pop(&mut queue, now)).collect();
    assert_eq!(order, ["vip", "soon", "plain", "over", "late"]);
}

#[test]
fn of_those_that_are_tried_early_the_order_is_the_same() {
    let (mut queue, start) = (Queue::default(), Instant::now());
    let by = |seconds| Some(start + Duration::from_secs(seconds));
    for (name, priority, by) in [("plain", 0, None), ("late", 0, by(300)), ("soon", 0, by(60)), ("vip", 5, None)] {
        queue.put(info(pod(name)), priority, by, true, start);
        queue.take(name);
        queue.refuse(name, vec!["X"], start);
    }
    queue.news(after(start, 10), |_, _| true);
    assert_eq!(queue.lengths().backoff, 4);
    let order: Vec<_> = std::iter::from_fn(|| pop(&mut queue, after(start, 10))).collect();
    assert_eq!(order, ["vip", "soon", "late", "plain"]);
}

/// One server that takes a second per pod, and pods that come: what becomes of each.
fn serve(arrivals: &[(u64, Option<u64>)]) -> Vec<u64> {
    let (mut queue, start) = (Queue::default(), Instant::now());
    let at = |second| start + Duration::from_secs(second);
    let mut turns = vec![0; arrivals.len()];
    let mut waiting = arrivals.iter().enumerate().peekable();
    for second in 0.. {
        while let Some((index, (came, by))) = waiting.next_if(|(_, (came, _))| *came <= second) {
            queue.put(info(pod(&index.to_string())), 0, by.map(|by| at(by.max(*came))), true, at(second));
        }
        let Some(uid) = pop(&mut queue, at(second)) else {
            if waiting.peek().is_none() {
                return turns;
            }
            continue;
        };
        queue.remove(&uid);
        turns[uid.parse::<usize>().expect("an index")] = second;
    }
    turns
}

#[test]
fn nobody_starves_though_more_urgent_pods_come_than_can_be_served() {
    for seed in 0..4 {
        let mut random = StdRng::seed_from_u64(seed);
        // two urgent pods every second, for twenty minutes: twice what can be served; and one that does not press a minute
        let mut arrivals = Vec::new();
        for second in 0..1200 {
            let urgent = |random: &mut StdRng| (second, Some(second + random.random_range(0..120)));
            arrivals.extend([urgent(&mut random), urgent(&mut random)]);
            if second % 60 == 0 {
                arrivals.push((second, None));
            }
        }
        let turns = serve(&arrivals);
        for (index, (came, by)) in arrivals.iter().enumerate() {
            let due = by.filter(|by| by > came).unwrap_or(came + PATIENCE.as_secs());
            // who overtook it came before it was due: they are bounded, whatever comes later
            let overtakers =
                arrivals.iter().zip(&turns).filter(|((other, _), turn)| *turn < &turns[index] && other > &due);
            assert_eq!(overtakers.count(), 0, "seed {seed}: pod {index}");
            let before = arrivals.partition_point(|(other, _)| *other <= due) as u64;
            assert!(turns[index] <= before, "seed {seed}: pod {index} had its turn at {}", turns[index]);
        }
    }
}

#[test]
fn deadlines_that_can_be_met_are_met() {
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        // a crowd that does not press, then pods that do, fewer than can be served
        let mut arrivals: Vec<(u64, Option<u64>)> = (0..300).map(|_| (0, None)).collect();
        arrivals.extend((1..150).map(|n| (n * 2, Some(n * 2 + random.random_range(3..60)))));
        let turns = serve(&arrivals);
        let missed = arrivals.iter().zip(&turns).filter(|((_, by), turn)| by.is_some_and(|by| **turn > by));
        assert_eq!(missed.count(), 0, "seed {seed}");
    }
}
