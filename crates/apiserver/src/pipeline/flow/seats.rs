//! How many seats a request takes: one, or for a list one for every hundred objects that it reads.

use crate::request::{Action, ListOptions, Request, Target};
use crate::storage::Storage;

/// So many objects are worth a seat.
const OBJECTS: usize = 100;

/// The seats of a request, `widest` at most.
#[must_use]
pub fn of(request: &Request, storage: &Storage, widest: u32) -> u32 {
    let list = match &request.action {
        Action::List(list) | Action::DeleteCollection(_, list) => list,
        Action::Watch(watch) if tells_all(watch.send_initial_events, &watch.list) => &watch.list,
        _ => return 1,
    };
    let Target::Resource(target) = &request.target else { return 1 };
    if !target.name.is_empty() || list.fields.contains("metadata.name=") {
        return 1;
    }
    let stored = storage.snapshot(&target.gvr).map_or(0, |snapshot| snapshot.len());
    for_objects(stored, list.limit).clamp(1, widest)
}

/// Whether a watch begins with what is there.
fn tells_all(asked: Option<bool>, list: &ListOptions) -> bool {
    asked.unwrap_or(matches!(list.resource_version.as_str(), "" | "0"))
}

fn for_objects(stored: usize, limit: i64) -> u32 {
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    u32::try_from(stored.min(limit).div_ceil(OBJECTS)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_cost_what_they_read() {
        assert_eq!(for_objects(0, 0), 0);
        assert_eq!(for_objects(1001, 0), 11);
        assert_eq!(for_objects(1001, 500), 5);
    }

    #[test]
    fn a_watch_that_goes_on_from_somewhere_is_cheap() {
        let from = |version: &str| ListOptions { resource_version: version.into(), ..ListOptions::default() };
        assert!(tells_all(None, &from("")) && tells_all(Some(true), &from("7")));
        assert!(!tells_all(None, &from("7")) && !tells_all(Some(false), &from("")));
    }
}
