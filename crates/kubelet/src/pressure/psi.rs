//! The kernel's pressure stall figures: what its files say, and what part of a time two readings come to. Pure.

use std::time::Duration;

use nakhoda_api::kinds::pressure::{Stall, Stalls};

/// Microseconds that tasks were stalled since their group was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// At least one.
    pub some: u64,
    /// All that had something to do.
    pub full: u64,
}

/// Of processor, memory and disk.
pub type Totals = [Total; 3];

/// The average of recent parts, in per cent, as [`Totals`] are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Average {
    parts: [(f64, f64); 3],
}

/// Reads a file such as `cpu.pressure`. The line `full` of the processor is missing in older kernels.
#[must_use]
pub fn parse(text: &str) -> Option<Total> {
    let total = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
        line.split(' ').find_map(|word| word.strip_prefix("total="))?.parse().ok()
    };
    Some(Total { some: total("some")?, full: total("full").unwrap_or(0) })
}

// === impl Average ===

impl Average {
    /// The next average: half of it is the time between two readings. A group that was made anew counts from nothing.
    #[must_use]
    pub fn next(self, before: Totals, now: Totals, between: Duration) -> Self {
        let part = |before: u64, now: u64, known: f64| {
            let part = now.checked_sub(before).unwrap_or(now) as f64 / between.as_micros().max(1) as f64;
            f64::midpoint(known, (part * 100.0).min(100.0))
        };
        let mut parts = self.parts;
        for (at, (some, full)) in parts.iter_mut().enumerate() {
            *some = part(before[at].some, now[at].some, *some);
            *full = part(before[at].full, now[at].full, *full);
        }
        Self { parts }
    }

    /// In whole fives of a hundred, so that noise is no news.
    #[must_use]
    pub fn rounded(self) -> Stalls {
        let fives = |part: f64| (part / 5.0).round().clamp(0.0, 20.0) as u8 * 5;
        let [cpu, memory, io] = self.parts.map(|(some, full)| Stall { some: fives(some), full: fives(full) });
        Stalls { cpu, memory, io }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_with_and_without_a_line_for_all() {
        let text = "some avg10=0.77 avg60=2.87 avg300=4.34 total=23776805\nfull avg10=0.50 avg60=2.63 avg300=4.17 total=22911558\n";
        assert_eq!(parse(text), Some(Total { some: 23_776_805, full: 22_911_558 }));
        assert_eq!(parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"), Some(Total { some: 7, full: 0 }));
        for broken in ["", "full total=1", "some avg10=0.00", "some total=x"] {
            assert_eq!(parse(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn an_average_follows_and_calms_down_again() {
        let second = |some: u64| [Total { some: some * 1_000_000, full: 0 }, Total::default(), Total::default()];
        let ten = Duration::from_secs(10);
        let mut average = Average::default();
        let mut seen = Vec::new();
        for (before, now) in [(0, 8), (8, 16), (16, 24), (24, 24), (24, 24), (24, 24), (24, 24), (24, 24)] {
            average = average.next(second(before), second(now), ten);
            seen.push(average.rounded().cpu.some);
        }
        assert_eq!(seen, [40, 60, 70, 35, 20, 10, 5, 0]);
        assert_eq!(average.rounded().memory, Stall::default());
    }

    #[test]
    fn a_group_that_was_made_anew_counts_from_nothing_and_no_part_is_more_than_all() {
        let total = |some| [Total { some, full: some }, Total::default(), Total::default()];
        let average = Average::default().next(total(9_000_000), total(1_000_000), Duration::from_secs(1));
        assert_eq!(average.rounded().cpu, Stall { some: 50, full: 50 });
        let average = Average::default().next(total(0), total(9_000_000), Duration::from_secs(1));
        assert_eq!(average.rounded().cpu, Stall { some: 50, full: 50 });
    }
}
