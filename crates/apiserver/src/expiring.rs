//! Answers that are good for a while, at most so many of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Values by their keys, each until its time is over.
#[derive(Debug)]
pub struct Expiring<K, V> {
    capacity: usize,
    held: Mutex<HashMap<K, (V, Instant)>>,
}

// === impl Expiring ===

impl<K: Eq + Hash + Clone, V: Clone> Expiring<K, V> {
    /// For at most so many.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, held: Mutex::default() }
    }

    /// The value of a key, if its time is not over.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        let held = self.held.lock();
        held.get(key).filter(|(_, until)| Instant::now() < *until).map(|(value, _)| value.clone())
    }

    /// Keeps a value for so long. Where there is no room, what is over goes first, then what ends first.
    pub fn put(&self, key: K, value: V, good_for: Duration) {
        if good_for.is_zero() {
            return;
        }
        let (now, mut held) = (Instant::now(), self.held.lock());
        if held.len() >= self.capacity && !held.contains_key(&key) {
            held.retain(|_, (_, until)| now < *until);
        }
        if held.len() >= self.capacity && !held.contains_key(&key) {
            let first = held.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone());
            first.and_then(|first| held.remove(&first));
        }
        held.insert(key, (value, now + good_for));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn values_end_and_make_room() {
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(9));
        let answers = Expiring::new(2);
        answers.put("a", 1, long);
        answers.put("b", 2, short);
        answers.put("never", 3, Duration::ZERO);
        assert_eq!((answers.get(&"a"), answers.get(&"b"), answers.get(&"never")), (Some(1), Some(2), None));
        answers.put("c", 4, long);
        assert_eq!((answers.get(&"b"), answers.get(&"c")), (None, Some(4)), "what ends first went");
        tokio::time::advance(long).await;
        assert_eq!(answers.get(&"a"), None);
    }
}
