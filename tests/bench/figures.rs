//! Figures and how they are told.

use std::time::Duration;

use serde_json::{Value, json};

/// What was measured of one server, in order.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
}

// === impl Figures ===

impl Figures {
    /// Adds one figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.0.push(Figure { name: name.into(), value, unit });
    }

    /// Adds the median and the 99th percentile of some times.
    pub(crate) fn times(&mut self, name: &str, times: &mut [Duration]) {
        times.sort();
        for (label, hundredths) in [("p50", 50), ("p99", 99)] {
            self.add(format!("{name}, {label}"), milliseconds(percentile(times, hundredths)), "ms");
        }
    }

    /// Adds the median of some times.
    pub(crate) fn median(&mut self, name: &str, times: &mut [Duration]) {
        times.sort();
        self.add(name, milliseconds(percentile(times, 50)), "ms");
    }
}

/// One line for each figure; with two servers a column for each, and the second as a multiple of the first.
pub(crate) fn table(servers: &[Figures]) -> String {
    let Some((first, others)) = servers.split_first() else { return String::new() };
    let width = first.0.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
    let line = |figure: &Figure| {
        let mut line = format!("{:width$}  {:>10.2}", figure.name, figure.value);
        for peer in others.iter().filter_map(|other| other.find(&figure.name)) {
            let ratio = if figure.value == 0.0 { "-".to_owned() } else { format!("{:.2}", peer / figure.value) };
            line += &format!("  {peer:>10.2}  {ratio:>7}");
        }
        format!("{line}  {}", figure.unit)
    };
    first.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// An array of objects, the values in the order of the servers.
pub(crate) fn json(servers: &[Figures]) -> String {
    let Some(first) = servers.first() else { return "[]".into() };
    let values = |name: &str| servers.iter().map(|server| server.find(name)).collect::<Vec<_>>();
    let one = |figure: &Figure| json!({"name": figure.name, "values": values(&figure.name), "unit": figure.unit});
    first.0.iter().map(one).collect::<Value>().to_string()
}

impl Figures {
    fn find(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    let index = sorted.len().saturating_sub(1) * hundredths / 100;
    sorted.get(index).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_stands_beside_as_a_multiple() {
        let (mut ours, mut peer) = (Figures::default(), Figures::default());
        ours.add("x", 2.0, "ms");
        peer.add("x", 5.0, "ms");
        assert_eq!(table(&[ours, peer]), "x        2.00        5.00     2.50  ms");
    }

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let mut times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let mut figures = Figures::default();
        figures.times("t", &mut times);
        assert_eq!((figures.find("t, p50"), figures.find("t, p99")), (Some(50.0), Some(99.0)));
    }
}
