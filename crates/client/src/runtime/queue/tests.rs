use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// The rules in their plainest form: who waits, who is worked on, who must wait again, who comes when.
#[derive(Default)]
struct Model {
    waiting: Vec<u8>,
    working: Vec<u8>,
    again: Vec<u8>,
    later: Vec<(u64, u8)>,
}

impl Model {
    fn add(&mut self, key: u8) {
        if self.working.contains(&key) {
            if !self.again.contains(&key) {
                self.again.push(key);
            }
        } else if !self.waiting.contains(&key) {
            self.waiting.push(key);
        }
    }

    fn add_at(&mut self, key: u8, at: u64) {
        match self.later.iter_mut().find(|(_, k)| *k == key) {
            Some(known) => known.0 = known.0.min(at),
            None => self.later.push((at, key)),
        }
    }

    fn ripen(&mut self, now: u64) {
        self.later.sort_by_key(|(at, _)| *at);
        let ripe = self.later.iter().take_while(|(at, _)| *at <= now).count();
        for (_, key) in self.later.drain(..ripe).collect::<Vec<_>>() {
            self.add(key);
        }
    }

    fn take(&mut self) -> Option<u8> {
        if self.waiting.is_empty() {
            return None;
        }
        let key = self.waiting.remove(0);
        self.working.push(key);
        Some(key)
    }

    fn done(&mut self, key: u8) {
        self.working.retain(|k| *k != key);
        if self.again.contains(&key) {
            self.again.retain(|k| *k != key);
            self.waiting.push(key);
        }
    }
}

#[test]
fn it_behaves_as_its_model_whatever_the_order_of_calls() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut state, mut model) = (State::new(Meter::default()), Model::default());
        let start = Instant::from_std(std::time::Instant::now());
        for step in 0..300_u64 {
            let (key, now) = (random.random_range(0..6_u8), start + Duration::from_secs(step));
            match random.random_range(0..5) {
                0 => {
                    state.add(key, start);
                    model.add(key);
                }
                1 => {
                    // Distinct due times: the order of equal ones is not promised.
                    let delay = 1 + u64::from(key) * 7;
                    state.add_at(key, now, Duration::from_secs(delay) + Duration::from_nanos(step));
                    model.add_at(key, (step + delay) * 1000 + step);
                }
                2 => {
                    assert_eq!(state.take(start), model.take(), "seed {seed}, step {step}");
                }
                3 => {
                    if let Some(key) = model.working.first().copied() {
                        state.done(&key, start);
                        model.done(key);
                    }
                }
                _ => {
                    state.ripen(now + Duration::from_nanos(999));
                    model.ripen(step * 1000 + 999);
                }
            }
            let ready: Vec<u8> = state.ready.iter().map(|(key, _)| *key).collect();
            assert_eq!(ready, model.waiting, "seed {seed}, step {step}");
            assert_eq!(state.processing.len(), model.working.len(), "seed {seed}, step {step}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_key_comes_when_it_is_due_and_failures_double_the_wait() {
    let queue = Queue::new();
    let start = Instant::now();
    queue.add_after("late", Duration::from_secs(2));
    queue.add_after("soon", Duration::from_secs(1));
    assert_eq!(queue.take().await, Some("soon"));
    assert_eq!(queue.take().await, Some("late"));
    assert!(start.elapsed() >= Duration::from_secs(2));
    queue.done(&"late");
    for millis in [5, 10, 20] {
        let start = Instant::now();
        queue.add_backoff("late");
        assert_eq!(queue.take().await, Some("late"));
        assert!(start.elapsed() >= Duration::from_millis(millis));
        queue.done(&"late");
    }
}

#[tokio::test]
async fn stopping_ends_every_waiting_worker() {
    let queue: Queue<u8> = Queue::new();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn({
                let queue = queue.clone();
                async move { queue.take().await }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.stop();
    for worker in workers {
        assert_eq!(worker.await.expect("no panic"), None);
    }
}
