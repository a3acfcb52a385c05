//! [`Backoff`]: how long to wait before the next attempt; doubling, with jitter, never zero.

use std::time::Duration;

/// Waits that double from `first` to `most`. Each is spread by up to a half, so that many clients of
/// one server do not come back at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

// === impl Backoff ===

impl Backoff {
    /// Starts at `first`.
    #[must_use]
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// The next wait; `random` is in 0..1.
    pub fn next(&mut self, random: f64) -> Duration {
        let wait = exponential(self.first, self.most, self.failures);
        self.failures = self.failures.saturating_add(1);
        wait.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }

    /// Starts again at `first`: things went well.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

/// `first` doubled `failures` times, at most `most`.
#[must_use]
pub fn exponential(first: Duration, most: Duration, failures: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX).max(1)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_never_reach_zero() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<_> = (0..6).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.next(0.0).as_millis(), 50);
        assert_eq!(exponential(Duration::from_millis(5), Duration::from_secs(1000), 200).as_secs(), 1000);
    }
}
