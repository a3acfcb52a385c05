//! [`Etcd`]: the store of a cluster.
//!
//! Made for etcd 3.4 as Debian has it, 3.5 and 3.6. Relies neither on progress notifications nor on
//! progress requests; asks for a leader on every call, so a member cut off from its peers refuses instead
//! of answering from the past.
//!
//! Calls are tried again until the bound when etcd is away. That is safe for a write that compares what it
//! writes, which cannot happen twice; what came of it when a try was lost on the way is told in `unsure`. Such a write
//! does not wait for an answer as long as etcd would: what a member handed to a leader that died is lost, and etcd
//! says so only after seven seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use etcd_client::{Client, CompactionOptions, GetOptions, KvClient};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::error::Error;
use crate::store::{ChangeStream, Commit, List, Listing, Member, Op, Pieces, Read, Store, Txn, Watch};

pub mod compact;
pub mod config;

mod convert;
mod fault;
mod lease;
mod stream;
mod unsure;
mod upkeep;

pub use config::{Config, Tls};

use config::Clients;
use lease::Leases;

/// etcd as a store. Connects when first used, and again when it has to.
pub struct Etcd {
    client: arc_swap::ArcSwap<Clients>,
    leases: Leases,
    within: Duration,
}

/// Messages of etcd may be of any size: it is bounded itself, and tonic's 4 MiB would cut lists.
const MAX_MESSAGE: usize = usize::MAX;
/// The pause between two tries.
const AGAIN: Duration = Duration::from_millis(50);
/// How long the first try of a write waits for its answer; each further one waits twice as long.
const PATIENCE: Duration = Duration::from_secs(1);

// === impl Etcd ===

impl Etcd {
    /// A store over these members. Fails only if the configuration makes no sense: etcd may come up later.
    pub async fn new(config: &Config) -> Result<Self, Error> {
        let clients = Clients::new(config).await?;
        Ok(Self { client: arc_swap::ArcSwap::from_pointee(clients), leases: Leases::default(), within: config.within })
    }

    /// Uses another configuration from now on: a renewed certificate, other members. Watches go on as they are
    /// until their connection ends.
    pub async fn reload(&self, config: &Config) -> Result<(), Error> {
        self.client.store(Arc::new(Clients::new(config).await?));
        Ok(())
    }

    /// Whether etcd answers a linearizable read in time: there is a leader and a quorum.
    pub async fn healthy(&self, within: Duration) -> Result<(), Error> {
        tokio::time::timeout(within, self.revision()).await.map_err(|_| Error::TimedOut)?.map(drop)
    }

    fn kv(&self) -> KvClient {
        self.client.load().kv.clone()
    }

    fn client(&self) -> Client {
        self.client.load().client.clone()
    }

    /// Tries until there is an answer or the time is over. `again` says which failures are worth a new try; none is
    /// that there was no answer for as long as `patience`.
    async fn attempt<T, A, F, Fut>(&self, mut patience: Duration, mut again: A, mut call: F) -> Result<T, Error>
    where
        A: FnMut(Option<&etcd_client::Error>) -> bool,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, etcd_client::Error>>,
    {
        let end = Instant::now() + self.within;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left.min(patience), call()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if again(Some(&error)) && Instant::now() + AGAIN < end => {
                    tokio::time::sleep(AGAIN).await;
                }
                Ok(Err(error)) => return Err(fault::error(error)),
                Err(_) if patience < left && again(None) => patience *= 2,
                Err(_) => return Err(Error::TimedOut),
            }
        }
    }

    async fn range(&self, key: Bytes, options: GetOptions) -> Result<etcd_client::GetResponse, Error> {
        self.attempt(
            self.within,
            |error| error.is_some_and(fault::passing),
            || {
                let (mut kv, key, options) = (self.kv(), key.clone(), options.clone());
                async move { kv.get(key, Some(options)).await }
            },
        )
        .await
    }

    async fn transact(&self, txn: &Txn) -> Result<Commit, Error> {
        let mut leases = Vec::with_capacity(txn.ops.len());
        for op in &txn.ops {
            let Op::Put { ttl: Some(ttl), .. } = op else {
                leases.push(None);
                continue;
            };
            leases.push(Some(self.leases.get(*ttl, Instant::now(), |seconds| self.grant(seconds)).await?));
        }
        let (request, once) = (convert::txn(txn, &leases), unsure::once(txn));
        let mut lost = false;
        let again = |error: Option<&etcd_client::Error>| {
            let unsent = error.is_some_and(fault::unsent);
            lost |= !unsent;
            unsent || once && error.is_none_or(fault::passing)
        };
        let patience = if once { PATIENCE } else { self.within };
        let answer = self
            .attempt(patience, again, || {
                let (mut kv, request) = (self.kv(), request.clone());
                async move { kv.txn(request).await }
            })
            .await?;
        let commit = convert::commit(txn, answer)?;
        if lost { unsure::settle(txn, commit) } else { Ok(commit) }
    }

    async fn grant(&self, seconds: i64) -> Result<i64, Error> {
        let granted = self
            .attempt(
                PATIENCE,
                |error| error.is_none_or(fault::passing),
                || {
                    let mut client = self.client();
                    async move { client.lease_grant(seconds, None).await }
                },
            )
            .await?;
        Ok(granted.id())
    }
}

impl Store for Etcd {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Read, Error>> {
        async move { convert::read(self.range(Bytes::copy_from_slice(key), GetOptions::new()).await?) }.boxed()
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Listing, Error>> {
        async move {
            let (key, options) = convert::list(&list);
            let answer = self.range(key, options).await;
            convert::listing(&list, answer.map_err(|error| fault::at(error, list.at.unwrap_or_default()))?)
        }
        .boxed()
    }

    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<Commit, Error>> {
        async move {
            match self.transact(&txn).await {
                // The lease ran out between its grant and its use, or was revoked by hand.
                Err(Error::NotFound) => {
                    self.leases.forget();
                    self.transact(&txn).await
                }
                other => other,
            }
        }
        .boxed()
    }

    fn revision(&self) -> BoxFuture<'_, Result<u64, Error>> {
        async move {
            let options = GetOptions::new().with_count_only();
            convert::revision(self.range(Bytes::from_static(b"\0"), options).await?.header())
        }
        .boxed()
    }

    fn watch(&self, watch: Watch) -> BoxFuture<'_, Result<ChangeStream, Error>> {
        async move { stream::open(self.client(), watch, self.within).await }.boxed()
    }

    fn compact(&self, revision: u64) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            let to = convert::signed(revision);
            let done = self
                .attempt(
                    self.within,
                    |error| error.is_some_and(fault::unsent),
                    || {
                        let mut kv = self.kv();
                        async move { kv.compact(to, Some(CompactionOptions::new())).await }
                    },
                )
                .await;
            done.map(drop).map_err(|error| fault::at(error, revision))
        }
        .boxed()
    }

    fn members(&self) -> BoxFuture<'_, Result<Vec<Member>, Error>> {
        async move { upkeep::members(&self.client.load_full()).await }.boxed()
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Pieces, Error>> {
        async move { upkeep::snapshot(&self.client.load_full()).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_try_that_is_not_answered_is_followed_by_another_that_waits_longer() {
        let config = Config { within: Duration::from_millis(400), ..Config::plain(vec!["http://127.0.0.1:1".into()]) };
        let etcd = Etcd::new(&config).await.expect("nobody is asked yet");
        let tries = Cell::new(0);
        let silent = async |until: u32| {
            etcd.attempt(
                Duration::from_millis(20),
                |error| error.is_none(),
                || {
                    tries.set(tries.get() + 1);
                    let answered = tries.get() > until;
                    async move { if answered { Ok(()) } else { std::future::pending().await } }
                },
            )
            .await
        };
        silent(2).await.expect("the third is answered");
        assert_eq!(tries.replace(0), 3);
        assert!(matches!(silent(u32::MAX).await, Err(Error::TimedOut)));
        assert!(tries.get() < 6, "20, 40, 80, 160 ms, and what is left");
    }
}
