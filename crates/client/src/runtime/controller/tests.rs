use std::sync::atomic::{AtomicUsize, Ordering};

use nakhoda_api::Status;

use super::*;

#[derive(Default)]
struct Flaky {
    calls: AtomicUsize,
    fail: usize,
}

impl Reconcile for Flaky {
    fn name(&self) -> &'static str {
        "flaky"
    }

    async fn reconcile(&self, _: &Key) -> Result<Outcome, Error> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if call < self.fail {
            Err(Status::unavailable("down", 0).into())
        } else {
            Ok(Outcome::After(Duration::from_secs(60)))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_and_an_outcome_says_when_to_come_back() {
    let (tasks, queue) = (Tasks::new(), Queue::new());
    let flaky = Arc::new(Flaky { fail: 3, ..Flaky::default() });
    run(&tasks, queue.clone(), 2, flaky.clone());
    queue.add(Key::new("a", "x"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(flaky.calls.load(Ordering::SeqCst), 4);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(flaky.calls.load(Ordering::SeqCst), 5);
    tasks.stop();
    assert!(tasks.finished(Duration::from_secs(1)).await);
}
