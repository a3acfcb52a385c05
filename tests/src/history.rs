//! What a client is told of the objects of one resource: checked event by event. Revisions only rise, nothing is told
//! twice, and the state that follows from the events is what a list says.

use std::collections::BTreeMap;

/// Where an object is, and which one it is.
pub type Place = (String, String);

/// One change as a watch tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `ADDED`.
    Added,
    /// `MODIFIED`.
    Modified,
    /// `DELETED`.
    Deleted,
}

/// The state that follows from a list and the events since.
#[derive(Clone, Debug, Default)]
pub struct History {
    known: BTreeMap<Place, u64>,
    reached: u64,
    /// How many events were taken.
    pub events: usize,
}

// === impl History ===

impl History {
    /// Begins with a list at a revision.
    #[must_use]
    pub fn new(listed: impl IntoIterator<Item = (Place, u64)>, revision: u64) -> Self {
        Self { known: listed.into_iter().collect(), reached: revision, events: 0 }
    }

    /// From where a watch goes on.
    #[must_use]
    pub fn reached(&self) -> u64 {
        self.reached
    }

    /// Nothing has changed up to a revision.
    pub fn bookmark(&mut self, revision: u64) -> Result<(), String> {
        if revision < self.reached {
            return Err(format!("a bookmark at {revision} after {}", self.reached));
        }
        self.reached = revision;
        Ok(())
    }

    /// Takes a change in; what is wrong with it.
    pub fn take(&mut self, change: Change, place: Place, revision: u64) -> Result<(), String> {
        let known = self.known.get(&place).copied();
        let wrong = |what: &str| Err(format!("{what}: {change:?} {place:?} at {revision}, known at {known:?}"));
        if revision < self.reached {
            return wrong(&format!("time travel behind {}", self.reached));
        }
        match (change, known) {
            (Change::Added, Some(_)) => return wrong("told twice, or a deletion was not told"),
            (Change::Modified | Change::Deleted, None) => return wrong("a creation was not told"),
            (_, Some(known)) if revision <= known => return wrong("told twice"),
            _ => {}
        }
        self.events += 1;
        self.reached = revision;
        match change {
            Change::Deleted => self.known.remove(&place),
            Change::Added | Change::Modified => self.known.insert(place, revision),
        };
        Ok(())
    }

    /// Where the state differs from a list.
    #[must_use]
    pub fn differences(&self, listed: &BTreeMap<Place, u64>) -> Vec<String> {
        let places: std::collections::BTreeSet<&Place> = self.known.keys().chain(listed.keys()).collect();
        let differ = places.into_iter().filter(|place| self.known.get(place) != listed.get(place));
        differ.map(|p| format!("{p:?}: told {:?}, listed {:?}", self.known.get(p), listed.get(p))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> Place {
        ("default".into(), name.into())
    }

    #[test]
    fn gaps_repetitions_and_the_past_are_found() {
        let mut history = History::new([(at("a"), 5)], 10);
        assert_eq!(history.take(Change::Modified, at("a"), 11), Ok(()));
        assert_eq!(history.take(Change::Added, at("b"), 12), Ok(()));
        let wrong = [
            (Change::Modified, "a", 9, "time travel"),
            (Change::Modified, "b", 12, "told twice"),
            (Change::Added, "b", 13, "a deletion was not told"),
            (Change::Deleted, "c", 13, "a creation was not told"),
        ];
        for (change, name, revision, what) in wrong {
            let error = history.take(change, at(name), revision).expect_err(what);
            assert!(error.contains(what), "{error}");
        }
        assert_eq!(history.take(Change::Deleted, at("a"), 14), Ok(()));
        assert!(history.bookmark(13).is_err() && history.bookmark(20).is_ok());
        assert_eq!(history.differences(&BTreeMap::from([(at("b"), 12)])), [""; 0]);
        assert_eq!(history.differences(&BTreeMap::from([(at("b"), 15), (at("c"), 1)])).len(), 2);
    }
}
