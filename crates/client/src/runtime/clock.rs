//! The time and chance. They are the machine's; on a thread that simulates they are the simulation's, so
//! that a run can be repeated.

use std::time::Instant;

use jiff::Timestamp;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The time.
#[must_use]
pub fn now() -> Timestamp {
    simulated::now().unwrap_or_else(Timestamp::now)
}

/// The time for measuring how much of it passes: that of timers.
#[must_use]
pub fn instant() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Something by chance.
#[must_use]
pub fn chance<T>() -> T
where
    StandardUniform: Distribution<T>,
{
    simulated::dice(|dice: &mut StdRng| dice.random()).unwrap_or_else(rand::random)
}

/// The time and the dice of a simulation on this thread.
pub mod simulated {
    use std::cell::{Cell, RefCell};

    use jiff::SignedDuration;
    use tokio::time::Instant;

    use super::{SeedableRng, StdRng, Timestamp};

    /// 2027-01-15: no machine's clock is asked.
    const EPOCH: i64 = 1_800_000_000;

    thread_local! {
        static START: Cell<Option<(Timestamp, Instant)>> = const { Cell::new(None) };
        static DICE: RefCell<Option<StdRng>> = const { RefCell::new(None) };
    }

    /// Lets simulated time begin: it passes as the paused clock of this thread's runtime does.
    pub fn begin(seed: u64) {
        START.set(Some((Timestamp::from_second(EPOCH).expect("in range"), Instant::now())));
        DICE.replace(Some(StdRng::seed_from_u64(seed)));
    }

    /// The clock on the wall is set forward, or back.
    pub fn step(by: SignedDuration) {
        START.set(START.get().map(|(begin, start)| (begin + by, start)));
    }

    /// Back to the machine's time and chance.
    pub fn end() {
        START.set(None);
        DICE.replace(None);
    }

    pub(super) fn now() -> Option<Timestamp> {
        let (begin, start) = START.get()?;
        Some(begin + SignedDuration::try_from(start.elapsed()).expect("a simulation is short"))
    }

    /// Throws the dice, if there are any.
    pub fn dice<T>(throw: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
        DICE.with_borrow_mut(|dice| dice.as_mut().map(throw))
    }
}
