//! Compaction: forgets the history older than one period, every period, by one API server of all.
//!
//! The servers agree as upstream's do, through the key `compact_rev_key`: its version is a logical clock. Who
//! moves it from the version he saw last compacts to the revision he saw then; the others learn the new
//! version and try a period later. So history is kept for one to two periods, whoever lives.

use std::time::Duration;

use bytes::Bytes;
use etcd_client::{Compare, CompareOp, GetResponse, Txn, TxnOp, TxnOpResponse};

use super::{Etcd, convert, fault};
use crate::error::Error;
use crate::store::Store;

/// Upstream's key, so that both can run on one etcd while a cluster is taken over.
const KEY: &str = "compact_rev_key";

/// What is known of the common clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// How often the key was written.
    version: i64,
    /// The store's revision then.
    revision: u64,
}

// === impl Clock ===

impl Clock {
    /// How often the key was written, as far as is known.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }
}

/// Compacts every `period`, forever.
pub async fn run(etcd: &Etcd, period: Duration) {
    let mut clock = Clock::default();
    loop {
        tokio::time::sleep(period).await;
        match tick(etcd, clock).await {
            Ok(next) => clock = next,
            Err(error) => tracing::warn!(%error, "cannot compact the store, trying again later"),
        }
    }
}

/// One period is over: compacts if it is up to us. The clock as it stands now.
pub async fn tick(etcd: &Etcd, clock: Clock) -> Result<Clock, Error> {
    let txn = Txn::new()
        .when([Compare::version(KEY, CompareOp::Equal, clock.version)])
        .and_then([TxnOp::put(KEY, clock.revision.to_string(), None)])
        .or_else([TxnOp::get(KEY, None)]);
    let answer = etcd.kv().txn(txn).await.map_err(fault::error)?;
    let revision = convert::revision(answer.header())?;
    if !answer.succeeded() {
        let version = answer.op_responses().into_iter().find_map(|op| match op {
            TxnOpResponse::Get(read) => version(&read),
            _ => None,
        });
        return Ok(Clock { version: version.unwrap_or_default(), revision });
    }
    if clock.revision > 0 {
        match etcd.compact(clock.revision).await {
            Ok(()) => tracing::debug!(revision = clock.revision, "compacted"),
            Err(Error::Compacted { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Clock { version: clock.version + 1, revision })
}

/// The revision everything before which was compacted away, as the compactor wrote it.
pub async fn compacted(etcd: &Etcd) -> Result<u64, Error> {
    let entry = etcd.get(&Bytes::from_static(KEY.as_bytes())).await?.entry;
    let text = entry.as_ref().and_then(|entry| std::str::from_utf8(&entry.value).ok());
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn version(read: &GetResponse) -> Option<i64> {
    read.kvs().first().map(etcd_client::KeyValue::version)
}
