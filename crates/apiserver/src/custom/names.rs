//! Names that live as long as the process: [`crate::kind::Info`] holds static ones, since those of built-in kinds
//! are, and since they are compared and printed with every request.
//!
//! The price is that a name, once served, is never given back. Each distinct name is kept once, so that the cost is
//! bounded by the distinct names that definitions have ever had: some 100 bytes for a definition, however often it
//! is deleted and made again. Only administrators make definitions.

use std::collections::HashSet;
use std::sync::LazyLock;

use parking_lot::Mutex;

static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
static LISTS: LazyLock<Mutex<HashSet<&'static [&'static str]>>> = LazyLock::new(Mutex::default);

/// The one copy of a name.
#[must_use]
pub fn intern(name: &str) -> &'static str {
    let mut names = NAMES.lock();
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.into());
    names.insert(kept);
    kept
}

/// The one copy of a list of names.
#[must_use]
pub fn intern_all(all: &[String]) -> &'static [&'static str] {
    let all: Vec<&'static str> = all.iter().map(|name| intern(name)).collect();
    let mut lists = LISTS.lock();
    if let Some(known) = lists.get(all.as_slice()) {
        return known;
    }
    let kept: &'static [&'static str] = all.leak();
    lists.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_is_kept_once() {
        assert!(std::ptr::eq(intern("widgets"), intern(&String::from("widgets"))));
        let all = ["a".to_owned(), "b".to_owned()];
        assert!(std::ptr::eq(intern_all(&all), intern_all(&all)));
    }
}
