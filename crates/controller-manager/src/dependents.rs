//! Which workloads a change of one of their pods concerns.

use std::sync::Arc;

use nakhoda_api::kinds::core::Pod;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Change, Informer, Key, Resource};

use crate::selector::Labels;

/// The workloads that a change of a pod concerns: its owner as it was and as it is, or those that could
/// adopt it. What the change fulfils is noted on the way.
pub fn affected<K: Resource>(
    all: &Informer<K>,
    ledger: &Ledger,
    change: &Change<Pod>,
    selects: impl Fn(&K, Option<&Labels>) -> bool,
) -> Vec<Key> {
    let pod = change.object();
    let mut keys: Vec<Key> = owner_key::<K>(pod).into_iter().collect();
    match change {
        Change::Added(_) => keys.iter().for_each(|k| ledger.created(k)),
        Change::Updated { old, .. } => keys.extend(owner_key::<K>(old)),
        Change::Deleted(_) => {}
    }
    if pod.is_terminating() || matches!(change, Change::Deleted(_)) {
        keys.iter().for_each(|k| ledger.deleted(k, pod.uid()));
    } else if pod.controller().is_none() {
        keys.extend(adopters(all, pod, selects));
    }
    keys
}

/// The owner of a kind.
#[must_use]
pub fn owner_key<K: Resource>(pod: &Pod) -> Option<Key> {
    let owner = pod.controller().filter(|o| o.kind == K::KIND && o.api_version == K::API_VERSION)?;
    Some(Key::new(pod.namespace(), &owner.name))
}

fn adopters<K: Resource>(
    all: &Informer<K>,
    pod: &Pod,
    selects: impl Fn(&K, Option<&Labels>) -> bool,
) -> impl Iterator<Item = Key> {
    let labels = pod.metadata.labels.as_ref();
    let fitting = move |workload: &Arc<K>| selects(workload, labels);
    all.in_namespace(pod.namespace()).into_iter().filter(fitting).map(|w| Key::of(&*w))
}
