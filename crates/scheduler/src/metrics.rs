//! What is counted, under upstream's names where they exist.

use std::time::Duration;

use nakhoda_daemon::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::queue::Lengths;

/// The scheduler's counters. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counts {
    attempts: Family<Outcome, Counter>,
    pending: Family<Place, Gauge>,
    decisions: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    queue: &'static str,
}

// === impl Counts ===

impl Counts {
    /// Registers them.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let decisions = Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        Self {
            attempts: metrics.register("scheduler_schedule_attempts", "Attempts to schedule pods", Family::default()),
            pending: metrics.register("scheduler_pending_pods", "Pods that wait, by queue", Family::default()),
            decisions: metrics.register(
                "scheduler_scheduling_algorithm_duration_seconds",
                "How long deciding on a node took",
                decisions,
            ),
        }
    }

    /// An attempt has come to `scheduled`, `unschedulable` or `error`.
    pub fn attempt(&self, result: &'static str) {
        self.attempts.get_or_create(&Outcome { result }).inc();
    }

    /// A decision took so long.
    pub fn decided(&self, took: Duration) {
        self.decisions.observe(took.as_secs_f64());
    }

    /// So many pods wait.
    pub fn pending(&self, lengths: Lengths) {
        let places = [
            ("active", lengths.active),
            ("backoff", lengths.backoff),
            ("unschedulable", lengths.unschedulable),
            ("gated", lengths.gated),
        ];
        for (queue, length) in places {
            self.pending.get_or_create(&Place { queue }).set(i64::try_from(length).unwrap_or(i64::MAX));
        }
    }
}
