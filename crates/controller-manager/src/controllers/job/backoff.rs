//! How long a job waits before it replaces failed pods: 10 s, doubling, up to 10 min.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::Pod;

use super::pod::{failures, finished_at};

const FIRST: i64 = 10;
const MOST: i64 = 600;

/// The failures of a job since its last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// How many.
    pub failures: i32,
    /// The last one.
    pub last: Option<Timestamp>,
}

// === impl Record ===

impl Record {
    /// The record after these pods have ended.
    #[must_use]
    pub fn after(self, succeeded: &[Arc<Pod>], failed: &[Arc<Pod>]) -> Self {
        let ends = |pods: &[Arc<Pod>]| pods.iter().map(|p| finished_at(p)).collect::<Vec<_>>();
        let (successes, failures) = (ends(succeeded), ends(failed));
        let (before, since) = match successes.iter().max() {
            Some(success) => (0, failures.iter().filter(|f| *f > success).copied().collect()),
            None if failures.is_empty() => return self,
            None => (self.failures, failures),
        };
        let count = i32::try_from(since.len()).unwrap_or(i32::MAX);
        Self { failures: before.saturating_add(count), last: since.into_iter().max() }
    }

    /// How long is still to wait.
    #[must_use]
    pub fn wait(self, now: Timestamp) -> SignedDuration {
        self.last.map_or(SignedDuration::ZERO, |last| wait(self.failures, last, now))
    }
}

/// How long the index of a failed pod still has to wait.
#[must_use]
pub fn of_index(pod: &Pod, now: Timestamp) -> SignedDuration {
    let before = failures(pod);
    wait(before.counted.saturating_add(before.ignored).saturating_add(1), finished_at(pod), now)
}

fn wait(failures: i32, last: Timestamp, now: Timestamp) -> SignedDuration {
    let Some(doublings) = u32::try_from(failures).ok().and_then(|f| f.checked_sub(1)) else {
        return SignedDuration::ZERO;
    };
    let whole = if doublings > 6 { MOST } else { (FIRST << doublings).min(MOST) };
    (SignedDuration::from_secs(whole) - now.duration_since(last)).max(SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, ended};
    use super::*;

    #[test]
    fn the_wait_doubles_with_each_failure_since_the_last_success() {
        let none = Record::default();
        assert_eq!(none.wait(at(0)), SignedDuration::ZERO);
        let one = none.after(&[], &[ended("a", "Failed", 0)]);
        assert_eq!((one.failures, one.wait(at(4))), (1, SignedDuration::from_secs(6)));
        let three = one.after(&[], &[ended("b", "Failed", 20), ended("c", "Failed", 30)]);
        assert_eq!((three.failures, three.wait(at(30))), (3, SignedDuration::from_secs(40)));
        assert_eq!(three.after(&[], &[]), three);
        let better = three.after(&[ended("d", "Succeeded", 40)], &[ended("e", "Failed", 39), ended("f", "Failed", 41)]);
        assert_eq!((better.failures, better.last), (1, Some(at(41))));
        assert_eq!(three.after(&[ended("d", "Succeeded", 40)], &[]), none);
        assert_eq!(wait(30, at(0), at(0)), SignedDuration::from_secs(600));
    }
}
