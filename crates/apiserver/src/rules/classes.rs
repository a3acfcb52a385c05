//! Classes of things, one of which is the default.

use std::cmp::Reverse;

use nakhoda_api::kinds::meta::ObjectMeta;

/// The name of the newest of several defaults; of those of one second the first by name.
pub fn newest(classes: impl Iterator<Item = ObjectMeta>) -> Option<String> {
    let made = |class: &ObjectMeta| class.creation_timestamp.as_ref().map(|time| time.0);
    classes.min_by_key(|class| (Reverse(made(class)), class.name.clone())).and_then(|class| class.name)
}
