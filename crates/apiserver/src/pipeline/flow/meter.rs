//! What `/metrics` tells of priority and fairness, under upstream's names. A schema's series are looked up once, when the
//! objects are read, not for every request.

use nakhoda_daemon::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::queues::Reason;
use super::shares::Settings;

/// All families.
pub(super) struct Meter {
    dispatched: Family<Flow, Counter>,
    rejected: Family<Refused, Counter>,
    waiting: Family<Flow, Gauge>,
    executing: Family<Flow, Gauge>,
    nominal: Family<OfLevel, Gauge>,
    lower: Family<OfLevel, Gauge>,
    upper: Family<OfLevel, Gauge>,
    current: Family<OfLevel, Gauge>,
}

/// The series of one schema.
#[derive(Clone)]
pub(super) struct Series {
    pub(super) dispatched: Counter,
    pub(super) executing: Gauge,
    waiting: Gauge,
}

/// Counts a request among those that wait for as long as it lives.
pub(super) struct Inside(Gauge);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Flow {
    priority_level: String,
    flow_schema: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    priority_level: String,
    flow_schema: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLevel {
    priority_level: String,
}

// === impl Meter ===

impl Meter {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let name = |name: &str| format!("apiserver_flowcontrol_{name}");
        let gauge = |suffix: &str, help: &str| metrics.register(&name(suffix), help, Family::default());
        Self {
            dispatched: metrics.register(
                &name("dispatched_requests"),
                "Requests that began to run.",
                Family::default(),
            ),
            rejected: metrics.register(&name("rejected_requests"), "Requests that were refused.", Family::default()),
            waiting: metrics.register(&name("current_inqueue_requests"), "Requests that wait.", Family::default()),
            executing: metrics.register(&name("current_executing_requests"), "Requests that run.", Family::default()),
            nominal: gauge("nominal_limit_seats", "A level's share of the seats."),
            lower: gauge("lower_limit_seats", "The seats that a level never lends."),
            upper: gauge("upper_limit_seats", "The seats that a level has at most."),
            current: gauge("current_limit_seats", "The seats that a level has now."),
        }
    }

    pub(super) fn series(&self, level: &str, schema: &str) -> Series {
        let flow = Flow { priority_level: level.into(), flow_schema: schema.into() };
        Series {
            dispatched: self.dispatched.get_or_create(&flow).clone(),
            executing: self.executing.get_or_create(&flow).clone(),
            waiting: self.waiting.get_or_create(&flow).clone(),
        }
    }

    pub(super) fn rejected(&self, level: &str, schema: &str, reason: Reason) {
        let refused = Refused { priority_level: level.into(), flow_schema: schema.into(), reason: reason.text() };
        self.rejected.get_or_create(&refused).inc();
    }

    pub(super) fn limits(&self, settings: &Settings) {
        let level = OfLevel { priority_level: settings.name.clone() };
        self.nominal.get_or_create(&level).set(settings.nominal.into());
        self.lower.get_or_create(&level).set(settings.least.into());
        self.upper.get_or_create(&level).set(settings.most.into());
    }

    pub(super) fn current(&self, level: &str, seats: u32) {
        self.current.get_or_create(&OfLevel { priority_level: level.into() }).set(seats.into());
    }
}

impl Series {
    pub(super) fn inside(&self) -> Inside {
        self.waiting.inc();
        Inside(self.waiting.clone())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.dec();
    }
}
