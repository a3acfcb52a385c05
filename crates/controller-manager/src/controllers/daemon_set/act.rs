//! How the daemon set controller makes pods.

use futures::future::join_all;
use nakhoda_api::kinds::apps::DaemonSet;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Error, Key, Result};

use super::pod;
use crate::pod_control::{PodControl, is_namespace_terminating};

/// The most pods that one pass makes.
const BURST: usize = 250;

/// Makes a pod for each node, in growing batches; the first failure ends it.
pub async fn create(
    control: &PodControl,
    ledger: &Ledger,
    key: &Key,
    set: &DaemonSet,
    nodes: &[String],
    hash: &str,
) -> Result<()> {
    let mut left = &nodes[..nodes.len().min(BURST)];
    ledger.expect_creations(key, left.len());
    let mut size = 1;
    while !left.is_empty() {
        let (batch, rest) = left.split_at(size.min(left.len()));
        let pods: Vec<Pod> = batch.iter().map(|node| pod::build(set, node, hash)).collect();
        let outcomes = join_all(pods.iter().map(|pod| control.create(set, pod))).await;
        let failures: Vec<Error> = outcomes.into_iter().filter_map(Result::err).collect();
        (0..failures.len()).for_each(|_| ledger.created(key));
        left = rest;
        if let Some(first) = failures.into_iter().next() {
            (0..left.len()).for_each(|_| ledger.created(key));
            return if is_namespace_terminating(&first) { Ok(()) } else { Err(first) };
        }
        size *= 2;
    }
    Ok(())
}
