//! Which old pods give way to new ones, once every pod is as it should be.

use std::sync::Arc;

use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;

use super::plan::{Planner, Replica, Step};
use super::spec::{max_unavailable, partition};
use crate::history::mark;

/// Deletes pods of other revisions from the highest number down. How many.
pub(super) fn replace(planner: &mut Planner<'_>, replicas: &[Replica]) -> i32 {
    let set = planner.view.set;
    let from = usize::try_from(partition(set).unwrap_or_default()).unwrap_or_default().min(replicas.len());
    let candidates = replicas[from..].iter().rev();
    let limit = max_unavailable(set).map(|most| {
        let lacking = replicas.iter().filter(|r| planner.lacks(r)).count();
        usize::try_from(most).unwrap_or_default().saturating_sub(lacking)
    });
    let is_old = |p: &Arc<Pod>| !p.is_terminating() && mark(p.metadata.labels.as_ref()) != planner.view.update.name;
    let mut old: Vec<Arc<Pod>> = Vec::new();
    for replica in candidates {
        match (replica, limit) {
            (_, Some(limit)) if old.len() >= limit => break,
            (Replica::There(pod), Some(_)) => old.extend(is_old(pod).then(|| pod.clone())),
            (Replica::There(pod), None) if is_old(pod) => {
                old.push(pod.clone());
                break;
            }
            (replica, None) if planner.lacks(replica) => break,
            _ => {}
        }
    }
    let count = i32::try_from(old.len()).unwrap_or(i32::MAX);
    planner.steps.extend(old.into_iter().map(Step::Delete));
    count
}
