//! `/metrics/resource`: what the node, its pods and containers use, for Prometheus, under upstream's names.
//! Absent: swap.

use std::fmt::{Display, Write};

use super::Server;
use super::usage::{name, running};
use crate::pod::core::View;
use crate::pod::spec;
use crate::usage::{NODE, Reading};

/// One metric: its name, its type, what it tells.
type Head = (&'static str, &'static str, &'static str);

const CONTAINER_CPU: Head = (
    "container_cpu_usage_seconds_total",
    "counter",
    "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
);
const CONTAINER_MEMORY: Head =
    ("container_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the container in bytes");
const CONTAINER_START: Head =
    ("container_start_time_seconds", "gauge", "[STABLE] Start time of the container since unix epoch in seconds");
const NODE_CPU: Head =
    ("node_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the node in core-seconds");
const NODE_MEMORY: Head =
    ("node_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the node in bytes");
const POD_CPU: Head =
    ("pod_cpu_usage_seconds_total", "counter", "[STABLE] Cumulative cpu time consumed by the pod in core-seconds");
const POD_MEMORY: Head = ("pod_memory_working_set_bytes", "gauge", "[STABLE] Current working set of the pod in bytes");
const ERROR: Head =
    ("resource_scrape_error", "gauge", "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise");

/// The lines of one metric.
struct Lines {
    head: Head,
    text: String,
}

// === impl Lines ===

impl Lines {
    fn of(head: Head) -> Self {
        Self { head, text: String::new() }
    }

    /// A value with the time at which it was read.
    fn add(&mut self, labels: &str, value: impl Display, at: Option<Reading>) {
        let time = at.map(|reading| format!(" {}", reading.at.as_millisecond())).unwrap_or_default();
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{}{labels} {value}{time}", self.head.0);
    }

    fn seconds(&mut self, labels: &str, reading: Reading) {
        self.add(labels, seconds(reading.usage.cpu.into()), Some(reading));
    }

    fn bytes(&mut self, labels: &str, reading: Reading) {
        self.add(labels, reading.usage.working_set, Some(reading));
    }

    /// With what it tells; nothing if there is no line.
    fn print(&self) -> String {
        let (name, kind, help) = self.head;
        if self.text.is_empty() {
            return String::new();
        }
        format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{}", self.text)
    }
}

// === impl Server ===

impl Server {
    /// The whole text.
    pub(super) fn resource_metrics(&self) -> String {
        let mut containers = [CONTAINER_CPU, CONTAINER_MEMORY, CONTAINER_START].map(Lines::of);
        let mut pods = [POD_CPU, POD_MEMORY].map(Lines::of);
        for view in self.manager.views().iter().filter(|view| view.observed.is_running()) {
            self.containers(view, &mut containers);
            if let Some(reading) = self.host.meter.last(spec::uid(&view.pod)) {
                let labels = labels(view, None);
                pods[0].seconds(&labels, reading);
                pods[1].bytes(&labels, reading);
            }
        }
        let mut node = [NODE_CPU, NODE_MEMORY, ERROR].map(Lines::of);
        let read = self.host.meter.last(NODE);
        if let Some(reading) = read {
            node[0].seconds("", reading);
            node[1].bytes("", reading);
        }
        node[2].add("", i32::from(read.is_none()), None);
        let [cpu, memory, error] = node;
        containers.iter().chain(&[cpu, memory]).chain(&pods).chain(&[error]).map(Lines::print).collect()
    }

    fn containers(&self, view: &View, [cpu, memory, start]: &mut [Lines; 3]) {
        for seen in running(view) {
            let labels = labels(view, Some(name(seen)));
            start.add(&labels, seconds(seen.status.started_at.into()), None);
            if let Some(reading) = self.host.meter.last(&seen.status.id) {
                cpu.seconds(&labels, reading);
                memory.bytes(&labels, reading);
            }
        }
    }
}

fn labels(view: &View, container: Option<&str>) -> String {
    let container = container.map(|name| format!("container=\"{name}\",")).unwrap_or_default();
    format!("{{{container}namespace=\"{}\",pod=\"{}\"}}", spec::namespace(&view.pod), spec::name(&view.pod))
}

/// Nanoseconds as seconds.
fn seconds(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_without_values_is_not_told() {
        let mut lines = Lines::of(POD_MEMORY);
        assert_eq!(lines.print(), "");
        lines.add("{pod=\"p\"}", 5, None);
        assert!(lines.print().ends_with("gauge\npod_memory_working_set_bytes{pod=\"p\"} 5\n"));
        assert_eq!(seconds(1_500_000_000).to_string(), "1.5");
    }
}
