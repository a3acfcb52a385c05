//! When the node is short of something: `memory.available<100Mi,nodefs.available<10%`. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use nakhoda_api::quantity::{Format, Quantity};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Memory that can be had.
    Memory,
    /// Bytes of the disk.
    NodeFs,
    /// Inodes of the disk.
    NodeFsInodes,
    /// Bytes of the disk that images lie on.
    ImageFs,
    /// Its inodes.
    ImageFsInodes,
    /// Process ids.
    Pids,
}

/// How little is too little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Least {
    /// Bytes, or a number.
    Amount(Quantity),
    /// A share of all there is.
    Share(f64),
}

/// When there is too little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Of what.
    pub signal: Signal,
    /// How little.
    pub least: Least,
    /// How long it may last; none: not at all.
    pub grace: Option<Duration>,
}

/// What was seen of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What is left.
    pub available: i64,
    /// What there is in all.
    pub capacity: i64,
}

/// A list of signals with values, as the flags have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Values<T>(pub BTreeMap<Signal, T>);

// === impl Signal ===

impl Signal {
    const ALL: [(&'static str, Self); 6] = [
        ("memory.available", Self::Memory),
        ("nodefs.available", Self::NodeFs),
        ("nodefs.inodesFree", Self::NodeFsInodes),
        ("imagefs.available", Self::ImageFs),
        ("imagefs.inodesFree", Self::ImageFsInodes),
        ("pid.available", Self::Pids),
    ];

    /// The resource that pods are chosen by.
    #[must_use]
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::NodeFs | Self::ImageFs => "ephemeral-storage",
            Self::NodeFsInodes | Self::ImageFsInodes => "inodes",
            Self::Pids => "pids",
        }
    }

    /// The node's condition.
    #[must_use]
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Memory => "MemoryPressure",
            Self::Pids => "PIDPressure",
            _ => "DiskPressure",
        }
    }
}

// === impl Least ===

impl FromStr for Least {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(share) = text.strip_suffix('%') else {
            return Quantity::parse(text).map(Self::Amount).map_err(|error| format!("{text:?}: {error}"));
        };
        let share = share.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
        share.map(|share| Self::Share(share / 100.0)).ok_or_else(|| format!("{text:?} is no share from 0% to 100%"))
    }
}

// === impl Threshold ===

impl Threshold {
    /// The amount, of such a whole.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream counts shares so")]
    pub fn quantity(&self, capacity: i64) -> Quantity {
        match self.least {
            Least::Amount(quantity) => quantity,
            Least::Share(share) => Quantity::new((capacity as f64 * share) as i64, Format::BinarySi),
        }
    }

    /// Whether there is too little.
    #[must_use]
    pub fn is_met(&self, seen: Observation) -> bool {
        self.quantity(seen.capacity) > Quantity::new(seen.available, Format::BinarySi)
    }
}

// === impl Values ===

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: FromStr<Err = String>> Values<T> {
    /// Reads `signal<value,…`, or with another character between.
    pub fn parse(text: &str, between: char) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let pair = part.split_once(between);
            let (name, value) = pair.ok_or_else(|| format!("{part:?} is not SIGNAL{between}VALUE"))?;
            let known = Signal::ALL.iter().find(|(known, _)| *known == name.trim());
            let (_, signal) = known.ok_or_else(|| format!("unknown eviction signal {name:?}"))?;
            values.insert(*signal, value.trim().parse()?);
        }
        Ok(Self(values))
    }
}

/// A time as Go writes it: `1m30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let spans = text.split_inclusive(|c: char| c.is_ascii_alphabetic());
        let seconds = spans.map(|span| {
            let (number, unit) = span.split_at(span.len().saturating_sub(1));
            let factor = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            number.parse::<u64>().ok()?.checked_mul(factor)
        });
        let sum = seconds.sum::<Option<u64>>().filter(|_| !text.is_empty());
        sum.map(|sum| Self(Duration::from_secs(sum))).ok_or_else(|| format!("{text:?} is no time such as 1m30s"))
    }
}

/// All thresholds: those that hold at once, and those that may be passed for a time.
pub fn all(hard: &Values<Least>, soft: &Values<Least>, graces: &Values<Span>) -> Result<Vec<Threshold>, String> {
    let mut all: Vec<Threshold> =
        hard.0.iter().map(|(signal, least)| Threshold { signal: *signal, least: *least, grace: None }).collect();
    for (signal, least) in &soft.0 {
        let grace = graces.0.get(signal).ok_or("a grace period must be specified for the soft eviction threshold")?;
        all.push(Threshold { signal: *signal, least: *least, grace: Some(grace.0) });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_as_upstream_writes_them() {
        let read = |text: &str| Values::<Least>::parse(text, '<');
        let hard = read("memory.available<100Mi,nodefs.available<10%").expect("thresholds");
        let all = all(&hard, &Values::default(), &Values::default()).expect("complete");
        let seen = |available, capacity| Observation { available, capacity };
        assert!(all[0].is_met(seen((100 << 20) - 1, 1 << 30)) && !all[0].is_met(seen(100 << 20, 1 << 30)));
        assert!(all[1].is_met(seen(9, 100)) && !all[1].is_met(seen(10, 100)));
        for bad in ["memory.available", "memory<1", "memory.available<x", "nodefs.available<101%"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn soft_thresholds_need_their_grace() {
        let soft = Values::parse("memory.available<1Gi", '<').expect("thresholds");
        assert!(all(&Values::default(), &soft, &Values::default()).is_err());
        let graces = Values::parse("memory.available=1m30s", '=').expect("spans");
        let all = all(&Values::default(), &soft, &graces).expect("complete");
        assert_eq!(all[0].grace, Some(Duration::from_secs(90)));
    }
}
