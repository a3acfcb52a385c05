//! Leases shared by all keys that were written in the same minute with the same time to live: one lease per
//! key would cost etcd more than the key. A key lives a little longer than asked, never shorter.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::error::Error;

/// How long a lease is given to further keys, at most.
const SHARED: Duration = Duration::from_secs(60);
/// How many keys it is given to.
const KEYS: u32 = 1000;

/// The leases in use, by time to live in seconds.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    current: Mutex<HashMap<i64, Lease>>,
    generation: std::sync::atomic::AtomicU64,
}

#[derive(Debug)]
struct Lease {
    id: i64,
    granted: Instant,
    keys: u32,
    generation: u64,
}

// === impl Leases ===

impl Leases {
    /// A lease that lasts at least `ttl` from now, granted by `grant` for so many seconds unless one is at hand.
    pub(crate) async fn get<F, Fut>(&self, ttl: Duration, now: Instant, grant: F) -> Result<i64, Error>
    where
        F: FnOnce(i64) -> Fut,
        Fut: Future<Output = Result<i64, Error>>,
    {
        let seconds = i64::try_from(ttl.as_secs().max(1)).unwrap_or(i64::MAX / 2);
        let shared = shared(ttl);
        let generation = self.generation.load(std::sync::atomic::Ordering::Relaxed);
        let mut current = self.current.lock().await;
        if let Some(lease) = current.get_mut(&seconds).filter(|lease| lease.serves(now, shared, generation)) {
            lease.keys += 1;
            return Ok(lease.id);
        }
        let extra = i64::try_from(shared.as_secs_f64().ceil() as u64).unwrap_or(0);
        let id = grant(seconds + extra).await?;
        current.insert(seconds, Lease { id, granted: now, keys: 1, generation });
        Ok(id)
    }

    /// Uses none of the present leases any more.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

// === impl Lease ===

impl Lease {
    fn serves(&self, now: Instant, shared: Duration, generation: u64) -> bool {
        now.saturating_duration_since(self.granted) < shared && self.keys < KEYS && self.generation == generation
    }
}

/// A twentieth of the time to live, at most a minute.
fn shared(ttl: Duration) -> Duration {
    (ttl / 20).min(SHARED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_of_one_minute_share_a_lease_that_outlives_them() {
        let leases = Leases::default();
        let start = Instant::now();
        let hour = Duration::from_secs(3600);
        let grant = |id| {
            move |seconds| async move {
                assert_eq!(seconds, 3660);
                Ok(id)
            }
        };
        assert_eq!(leases.get(hour, start, grant(1)).await.unwrap(), 1);
        assert_eq!(leases.get(hour, start + Duration::from_secs(59), grant(2)).await.unwrap(), 1);
        assert_eq!(leases.get(hour, start + Duration::from_secs(60), grant(3)).await.unwrap(), 3);
        leases.forget();
        assert_eq!(leases.get(hour, start + Duration::from_secs(61), grant(4)).await.unwrap(), 4);
    }
}
