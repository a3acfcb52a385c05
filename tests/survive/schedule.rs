//! Who dies when: all in one order, then all in another, by a seed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The shortest and the longest pause after a death, in milliseconds.
const PAUSE: (u64, u64) = (500, 4000);

/// A source of decisions.
pub(crate) struct Schedule {
    state: u64,
    order: Vec<usize>,
}

// === impl Schedule ===

impl Schedule {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, order: Vec::new() }
    }

    /// The next victim, and how long to wait after.
    pub(crate) fn next<T: Copy>(&mut self, all: &[T]) -> (T, Duration) {
        if self.order.is_empty() {
            self.order = (0..all.len()).collect();
            for i in (1..all.len()).rev() {
                let other = self.below(i as u64 + 1) as usize;
                self.order.swap(i, other);
            }
        }
        let victim = self.order.pop().expect("it was filled");
        let pause = PAUSE.0 + self.below(PAUSE.1 - PAUSE.0);
        (all[victim], Duration::from_millis(pause))
    }

    /// splitmix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What no two runs have in common.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos()))
}
