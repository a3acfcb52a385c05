//! The two times that plugins may change an object: once, and once more if a policy or a webhook did change it
//! (`k8s.io/apiserver/pkg/admission.ReinvocationContext`). The second time, policies and webhooks that wish so are asked
//! again if something changed after them.

use std::collections::BTreeSet;

use nakhoda_api::Object;

/// How far it is.
#[derive(Default)]
pub struct Rounds {
    /// It is the second time.
    pub again: bool,
    /// There has to be a second time.
    pub wanted: bool,
    /// What policies did.
    pub policies: Memory,
    /// What webhooks did.
    pub webhooks: Memory,
}

/// What a plugin whose rules come from users must know the second time.
#[derive(Default)]
pub struct Memory {
    last: Option<Object>,
    willing: BTreeSet<String>,
    due: BTreeSet<String>,
}

// === impl Memory ===

impl Memory {
    /// The plugin begins with an object: what others changed since it ended counts.
    pub fn begin(&mut self, again: bool, object: &Object) {
        if again && self.last.as_ref() != Some(object) {
            self.changed();
        }
    }

    /// Whether one is to be asked.
    #[must_use]
    pub fn asks(&self, again: bool, key: &str) -> bool {
        !again || self.due.contains(key)
    }

    /// Something changed the object: who is willing and was asked already is to be asked again.
    pub fn changed(&mut self) {
        self.due.append(&mut self.willing);
    }

    /// One was asked that is willing to be asked again.
    pub fn asked(&mut self, key: String) {
        self.willing.insert(key);
    }

    /// The plugin ends with an object.
    pub fn end(&mut self, object: &Object) {
        self.last = Some(object.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_willing_is_asked_again_if_something_changed_after_it() {
        let mut memory = Memory::default();
        memory.begin(false, &Object::default());
        memory.asked("first".into());
        memory.changed();
        memory.asked("second".into());
        memory.end(&Object::default());
        memory.begin(true, &Object::default());
        assert!(memory.asks(true, "first") && !memory.asks(true, "second") && memory.asks(false, "third"));
    }

    #[test]
    fn a_change_by_others_asks_all_that_are_willing() {
        let mut memory = Memory::default();
        memory.asked("one".into());
        memory.end(&Object::default());
        let mut changed = Object::default();
        changed.set_meta("name", "x");
        memory.begin(true, &changed);
        assert!(memory.asks(true, "one") && !memory.asks(true, "other"));
    }
}
