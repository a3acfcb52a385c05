//! What the daemon set controller writes besides deletions and its status.

use std::sync::Arc;

use futures::future::join_all;
use nakhoda_api::kinds::apps::{ControllerRevision, DaemonSet};
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Client, Error, Informer, Key, Resource, Result};

use super::history::{self, Step};
use super::pod;
use crate::pod_control::{PodControl, exactly, is_namespace_terminating};

const BY_CONTROLLER: &str = "controller";
/// The most pods that one pass makes.
const BURST: usize = 250;

/// The stored revision of the set's template; made, or given the highest number, if need be.
pub async fn current_revision(
    client: &Client,
    revisions: &Informer<ControllerRevision>,
    set: &DaemonSet,
) -> Result<Arc<ControllerRevision>> {
    let api = client.namespaced::<ControllerRevision>(set.namespace());
    match history::step(set, &revisions.by_index(BY_CONTROLLER, set.uid())) {
        Step::Current(revision) => Ok(revision),
        Step::Raise(revision, number) => {
            let raised = ControllerRevision { revision: Some(number), ..(*revision).clone() };
            api.update(&raised).await.map(Arc::new)
        }
        Step::Create(number) => {
            let wanted = history::build(set, number);
            match api.create(&wanted).await {
                Err(error) if error.is_already_exists() => {
                    let there = api.get(wanted.name()).await?;
                    if history::holds(&there, set) { Ok(Arc::new(there)) } else { Err(collide(client, set, error).await?) }
                }
                outcome => outcome.map(Arc::new),
            }
        }
    }
}

/// Another template has the same hash: the count moves it, and the next pass finds another name.
async fn collide(client: &Client, set: &DaemonSet, error: Error) -> Result<Error> {
    let mut told = set.clone();
    let status = told.status.get_or_insert_default();
    status.collision_count = Some(status.collision_count.unwrap_or_default() + 1);
    client.namespaced::<DaemonSet>(set.namespace()).update_status(&told).await?;
    Ok(error)
}

/// Deletes revisions beyond the limit.
pub async fn clear_history(
    client: &Client,
    revisions: &Informer<ControllerRevision>,
    set: &DaemonSet,
    current: &ControllerRevision,
    pods: &[Arc<Pod>],
) -> Result<()> {
    let api = client.namespaced::<ControllerRevision>(set.namespace());
    for old in history::surplus(set, current, revisions.by_index(BY_CONTROLLER, set.uid()), pods) {
        match api.delete(old.name(), &exactly(&*old)).await {
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

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
