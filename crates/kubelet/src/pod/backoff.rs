//! Back-off of restarts and pulls, as upstream counts it: the first try is free, then 10 s doubling to
//! 5 min, forgotten after 10 min of quiet. Pure: the clock is a parameter.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

const FIRST: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait.
pub const LONGEST: SignedDuration = SignedDuration::from_secs(300);

#[derive(Clone, Copy, Debug)]
struct Entry {
    wait: SignedDuration,
    updated: Timestamp,
}

/// Waits by key.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    entries: HashMap<String, Entry>,
}

// === impl Backoff ===

impl Backoff {
    /// How long the key has to wait still, counted from the moment `since` of its failure.
    #[must_use]
    pub fn remaining(&self, key: &str, since: Timestamp, now: Timestamp) -> Option<SignedDuration> {
        let entry = self.entries.get(key).filter(|e| !is_stale(e, since))?;
        let left = entry.wait - now.duration_since(since);
        left.is_positive().then_some(left)
    }

    /// The wait that a key is in.
    #[must_use]
    pub fn wait(&self, key: &str) -> SignedDuration {
        self.entries.get(key).map_or(SignedDuration::ZERO, |e| e.wait)
    }

    /// Counts a try.
    pub fn next(&mut self, key: &str, since: Timestamp, now: Timestamp) {
        let wait = match self.entries.get(key).filter(|e| !is_stale(e, since)) {
            Some(entry) => (entry.wait * 2).min(LONGEST),
            None => FIRST,
        };
        self.entries.insert(key.to_owned(), Entry { wait, updated: now });
    }

    /// Forgets a key.
    pub fn reset(&mut self, key: &str) {
        self.entries.remove(key);
    }
}

fn is_stale(entry: &Entry, since: Timestamp) -> bool {
    since.duration_since(entry.updated) > LONGEST * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).expect("in range")
    }

    #[test]
    fn the_first_restart_is_immediate_then_waits_double_to_five_minutes() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.remaining("c", at(0), at(0)), None);
        let mut waits = Vec::new();
        for _ in 0..7 {
            backoff.next("c", at(0), at(0));
            waits.push(backoff.remaining("c", at(0), at(0)).map_or(0, |d| d.as_secs()));
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn a_long_quiet_run_starts_over() {
        let mut backoff = Backoff::default();
        backoff.next("c", at(0), at(0));
        assert_eq!(backoff.remaining("c", at(601), at(601)), None);
        backoff.next("c", at(601), at(601));
        assert_eq!(backoff.wait("c").as_secs(), 10);
    }
}
