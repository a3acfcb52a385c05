//! Figures and how they are told.

use std::time::Duration;

use serde_json::{Value, json};

/// What was measured, in order.
#[derive(Default)]
pub(crate) struct Figures(Vec<(String, f64, &'static str)>);

// === impl Figures ===

impl Figures {
    /// Adds one figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.0.push((name.into(), value, unit));
    }

    /// Adds the median and the 99th percentile of some times, in milliseconds.
    pub(crate) fn times(&mut self, name: &str, times: &mut [Duration]) {
        times.sort();
        for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
            let last = times.len().saturating_sub(1);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an index"
            )]
            let index = (last as f64 * share).round() as usize;
            let time = times.get(index).copied().unwrap_or_default();
            self.add(format!("{name}, {label}"), time.as_secs_f64() * 1000.0, "ms");
        }
    }

    /// Lines.
    pub(crate) fn table(&self) -> String {
        let width = self.0.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let lines = self.0.iter().map(|(name, value, unit)| format!("{name:width$}   {value:>9.1} {unit}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// An array of objects.
    pub(crate) fn json(&self) -> String {
        let all: Value = self.0.iter().map(|(n, v, u)| json!({"name": n, "value": v, "unit": u})).collect();
        all.to_string()
    }
}
