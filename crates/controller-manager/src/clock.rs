//! The time. It is the machine's; in simulations it is theirs.

use jiff::Timestamp;

/// The time.
#[must_use]
pub fn now() -> Timestamp {
    #[cfg(test)]
    if let Some(now) = simulated::now() {
        return now;
    }
    Timestamp::now()
}

/// The time of a simulation: it passes as the paused clock of its runtime does.
#[cfg(test)]
pub(crate) mod simulated {
    use std::cell::Cell;

    use jiff::{SignedDuration, Timestamp};
    use tokio::time::Instant;

    thread_local! {
        static START: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
    }

    /// Lets the simulated time of this thread begin.
    pub(crate) fn begin() {
        START.set(Some((Timestamp::from_second(1_800_000_000).expect("in range"), Instant::now())));
    }

    /// Back to the machine's time.
    pub(crate) fn end() {
        START.set(None);
    }

    pub(super) fn now() -> Option<Timestamp> {
        let (begin, start) = START.get()?;
        Some(begin + SignedDuration::try_from(start.elapsed()).expect("a simulation is short"))
    }
}
