//! How many pods to make, or which to delete.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::core::Pod;

use crate::pods::rank_for_deletion;

/// The most pods that one pass makes or deletes.
pub const BURST: usize = 500;

/// What a pass does.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// There are as many as there should be.
    Rest,
    /// So many are missing.
    Create(usize),
    /// These are too many.
    Delete(Vec<Arc<Pod>>),
}

/// Compares what is there with how many are wanted. `related` is asked for only when pods must go.
pub fn plan(wanted: usize, active: &[Arc<Pod>], related: impl FnOnce() -> Vec<Arc<Pod>>, now: Timestamp) -> Step {
    if active.len() < wanted {
        return Step::Create((wanted - active.len()).min(BURST));
    }
    let surplus = (active.len() - wanted).min(BURST);
    if surplus == 0 {
        return Step::Rest;
    }
    let mut pods = active.to_vec();
    if surplus < pods.len() {
        rank_for_deletion(&mut pods, &related(), now);
    }
    pods.truncate(surplus);
    Step::Delete(pods)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(count: usize) -> Vec<Arc<Pod>> {
        vec![Arc::default(); count]
    }

    #[test]
    fn a_pass_makes_what_lacks_and_deletes_what_is_too_much() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(plan(3, &pods(1), Vec::new, now), Step::Create(2));
        assert_eq!(plan(2_000, &pods(0), Vec::new, now), Step::Create(BURST));
        assert_eq!(plan(2, &pods(2), Vec::new, now), Step::Rest);
        assert!(matches!(plan(1, &pods(3), || pods(3), now), Step::Delete(p) if p.len() == 2));
        assert!(matches!(plan(0, &pods(3), || unreachable!("all go"), now), Step::Delete(p) if p.len() == 3));
    }
}
