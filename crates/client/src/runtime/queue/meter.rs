//! [`Meters`]: how the queues of a process do, under upstream's names (`workqueue_…`).
//!
//! Absent: `workqueue_unfinished_work_seconds` and `workqueue_longest_running_processor_seconds`, which would need a
//! timer.

use std::time::Duration;

use nakhoda_daemon::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// The meters of all queues of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Meters {
    depth: Family<Name, Gauge>,
    adds: Family<Name, Counter>,
    retries: Family<Name, Counter>,
    waited: Family<Name, Histogram, fn() -> Histogram>,
    worked: Family<Name, Histogram, fn() -> Histogram>,
}

/// The meter of one queue. One by default is read by nobody.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    read: Option<Read>,
}

#[derive(Clone, Debug)]
struct Read {
    depth: Gauge,
    adds: Counter,
    retries: Counter,
    waited: Histogram,
    worked: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Name {
    name: &'static str,
}

// === impl Meters ===

impl Default for Meters {
    fn default() -> Self {
        Self {
            depth: Family::default(),
            adds: Family::default(),
            retries: Family::default(),
            waited: Family::new_with_constructor(durations),
            worked: Family::new_with_constructor(durations),
        }
    }
}

impl Meters {
    /// Registers them.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let meters = Self::default();
        let (waited, worked) = ("workqueue_queue_duration_seconds", "workqueue_work_duration_seconds");
        metrics.register("workqueue_depth", "Keys that wait", meters.depth.clone());
        metrics.register("workqueue_adds", "Keys added", meters.adds.clone());
        metrics.register("workqueue_retries", "Keys that come back after a failure", meters.retries.clone());
        metrics.register(waited, "How long keys waited for a worker", meters.waited.clone());
        metrics.register(worked, "How long keys were worked on", meters.worked.clone());
        meters
    }

    /// The meter of the queue of this name.
    #[must_use]
    pub fn of(&self, name: &'static str) -> Meter {
        let name = Name { name };
        Meter {
            read: Some(Read {
                depth: self.depth.get_or_create(&name).clone(),
                adds: self.adds.get_or_create(&name).clone(),
                retries: self.retries.get_or_create(&name).clone(),
                waited: self.waited.get_or_create(&name).clone(),
                worked: self.worked.get_or_create(&name).clone(),
            }),
        }
    }
}

// === impl Meter ===

impl Meter {
    pub(super) fn added(&self) {
        if let Some(read) = &self.read {
            read.adds.inc();
        }
    }

    pub(super) fn retried(&self) {
        if let Some(read) = &self.read {
            read.retries.inc();
        }
    }

    pub(super) fn waiting(&self, keys: usize) {
        if let Some(read) = &self.read {
            read.depth.set(i64::try_from(keys).unwrap_or(i64::MAX));
        }
    }

    pub(super) fn waited(&self, time: Duration) {
        if let Some(read) = &self.read {
            read.waited.observe(time.as_secs_f64());
        }
    }

    pub(super) fn worked(&self, time: Duration) {
        if let Some(read) = &self.read {
            read.worked.observe(time.as_secs_f64());
        }
    }
}

/// Upstream's: from 10 ns, each ten times the one before.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(1e-8, 10.0, 10))
}

#[cfg(test)]
mod tests {
    use super::super::Queue;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_queue_tells_what_waits_what_came_and_how_long_it_took() {
        let metrics = Metrics::default();
        let queue = Queue::metered(Meters::new(&metrics).of("job"));
        queue.add("a");
        queue.add("b");
        queue.add("a");
        let key = queue.take().await.expect("one waits");
        tokio::time::advance(Duration::from_secs(2)).await;
        queue.add_backoff(key);
        queue.done(&key);
        let text = metrics.text();
        for line in [
            "workqueue_depth{name=\"job\"} 1",
            "workqueue_adds_total{name=\"job\"} 2",
            "workqueue_retries_total{name=\"job\"} 1",
            "workqueue_queue_duration_seconds_count{name=\"job\"} 1",
            "workqueue_work_duration_seconds_sum{name=\"job\"} 2.0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
