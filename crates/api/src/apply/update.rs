//! Who owns what after a write, and what an applied configuration makes of an object.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::element::{Element, equal};
use super::fields::fields;
use super::managers::{Manager, Managers, Owner};
use super::merge::merge;
use super::remove::remove;
use super::schema::Schema;
use super::set::Set;

/// The versions of a kind, to read what owners own in the version in which they named it.
pub trait Versions: Sync {
    /// The object in a version, and its type there; `None`: the version is not served any more.
    fn convert<'v>(&self, object: &'v Value, version: &str) -> Option<(Cow<'v, Value>, Schema)>;
}

/// Fields that a write cannot change, and so does not own.
#[derive(Clone, Debug, Default)]
pub enum Filter {
    /// All but these and what lies below them.
    Outside(Set),
    /// Every field can be changed.
    #[default]
    All,
}

/// How a kind is written to.
pub struct Writer<'a> {
    /// The version of the request.
    pub version: &'a str,
    /// The kind in that version.
    pub schema: &'a Schema,
    /// What the request cannot change.
    pub filter: &'a Filter,
    /// The other versions.
    pub versions: &'a dyn Versions,
}

/// A field that another owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who.
    pub owner: Owner,
    /// Where.
    pub path: Vec<Element>,
}

/// What an applied configuration comes to.
#[derive(Debug, PartialEq)]
pub struct Applied {
    /// The object after it; `None`: it is what it was.
    pub object: Option<Value>,
    /// Who owns what.
    pub managers: Managers,
}

/// The fields that no write owns: identity, and what the server sets.
const NEVER_OWNED: [&[&str]; 12] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

fn never_owned() -> &'static Set {
    static NEVER: LazyLock<Set> = LazyLock::new(|| Set::of_fields(&NEVER_OWNED));
    &NEVER
}

// === impl Filter ===

impl Filter {
    fn keep(&self, set: Set) -> Set {
        match self {
            Self::Outside(fields) => set.outside(fields),
            Self::All => set,
        }
    }
}

// === impl Conflict ===

impl Conflict {
    /// The path as people read it.
    #[must_use]
    pub fn place(&self) -> String {
        self.path.iter().map(ToString::to_string).collect()
    }
}

// === impl Writer ===

impl Writer<'_> {
    /// Who owns what after `live` became `new` by a write that is no apply. `now` is RFC 3339, in seconds.
    #[must_use]
    pub fn update(&self, live: &Value, new: &Value, managers: Managers, owner: &Owner, now: &str) -> Managers {
        let mut managers = self.reconciled(live, managers);
        let changes = self.changes(live, new);
        if !managers.is_empty() {
            let versions = self.comparisons(live, new, &changes, &managers);
            managers.revise(|manager| versions.left(manager));
        }
        let mut set = changes.modified.or(changes.added);
        set.subtract(never_owned());
        if !set.is_empty() {
            let before = managers.take(owner).map(|manager| manager.set).unwrap_or_default();
            managers.put(Manager { owner: owner.clone(), time: Some(now.to_owned()), set: set.or(before) });
        }
        managers.cap();
        managers
    }

    /// Applies a configuration that was [checked](super::check()) before. Fails with all fields that others own, and
    /// that the configuration would change, unless it is `forced`.
    pub fn apply(
        &self,
        live: &Value,
        configuration: &Value,
        managers: Managers,
        owner: &Owner,
        force: bool,
        now: &str,
    ) -> Result<Applied, Vec<Conflict>> {
        let mut managers = self.reconciled(live, managers);
        let root = self.schema.root();
        let merged = merge(root, live, configuration).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let before = managers.take(owner);
        let set = self.filter.keep(fields(root, configuration));
        let time = before.as_ref().and_then(|manager| manager.time.clone());
        managers.put(Manager { owner: owner.clone(), time, set: set.clone() });
        let object = self.prune(merged, &managers, before.as_ref());
        let versions = self.comparisons(live, &object, &self.changes(live, &object), &managers);
        let conflicts = conflicts(&managers, owner, &versions);
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        let own = set.difference(never_owned());
        managers.revise(|manager| if manager.owner.is(owner) { Some(own.clone()) } else { versions.left(manager) });
        let object = (!equal(live, &object)).then_some(object);
        if object.is_some()
            && let Some(mut manager) = managers.take(owner)
        {
            manager.time = Some(now.to_owned());
            managers.put(manager);
        }
        Ok(Applied { object, managers })
    }

    /// What would be lost to a configuration that an older tool noted in the object it applied, which is no conflict.
    #[must_use]
    pub fn noted(&self, live: &Value, configuration: &Value) -> Set {
        let root = self.schema.root();
        let changes = compare(root, configuration, live);
        let noted = fields(root, configuration);
        noted.difference(&changes.modified).difference(&changes.added).difference(&changes.removed)
    }

    fn changes(&self, live: &Value, new: &Value) -> Comparison {
        compare(self.schema.root(), live, new).filtered(|set| self.filter.keep(set))
    }

    fn convert<'v>(&self, object: &'v Value, version: &str) -> Option<(Cow<'v, Value>, Schema)> {
        if version == self.version {
            return Some((Cow::Borrowed(object), self.schema.clone()));
        }
        self.versions.convert(object, version)
    }

    fn reconciled(&self, live: &Value, mut managers: Managers) -> Managers {
        managers.revise(|manager| match self.convert(live, &manager.owner.version) {
            Some((_, schema)) => Some(manager.set.reconciled(schema.root())),
            None => Some(manager.set.clone()),
        });
        managers
    }

    fn comparisons(&self, live: &Value, new: &Value, own: &Comparison, managers: &Managers) -> Comparisons {
        let mut all = vec![(self.version.to_owned(), Some(own.clone()))];
        for manager in managers.iter() {
            let version = &manager.owner.version;
            if all.iter().any(|(known, _)| known == version) {
                continue;
            }
            let both = self.convert(live, version).zip(self.convert(new, version));
            let comparison = both.map(|((live, schema), (new, _))| compare(schema.root(), &live, &new));
            all.push((version.clone(), comparison));
        }
        Comparisons(all)
    }

    /// Takes out of the merged object what the owner applied the last time and not this time, unless others own it.
    fn prune(&self, merged: Value, managers: &Managers, last: Option<&Manager>) -> Value {
        let Some(last) = last.filter(|last| !last.set.is_empty()) else { return merged };
        let version = &last.owner.version;
        let Some((object, schema)) = self.convert(&merged, version) else { return merged };
        let root = schema.root();
        let noted = last.set.named(root);
        let mut pruned = remove(root, &object, &noted);
        for (at, owned) in owned(managers, version) {
            pruned = self.keep_owned(&merged, &pruned, version, &at, &owned);
        }
        // what nobody owned must not go with what it stood in
        let gone = fields(root, &object).named(root).difference(&fields(root, &pruned).named(root));
        let pruned = remove(root, &object, &gone.intersection(&noted));
        if *version == self.version {
            return pruned;
        }
        self.versions.convert(&pruned, self.version).map_or(merged, |(object, _)| object.into_owned())
    }

    /// Puts back what is owned, as its owners named it in version `at`; `pruned` is in `version`, and so is the outcome.
    fn keep_owned(&self, merged: &Value, pruned: &Value, version: &str, at: &str, owned: &Set) -> Value {
        let kept = || {
            let (whole, schema) = self.convert(merged, at)?;
            let rest = if at == version { Cow::Borrowed(pruned) } else { self.versions.convert(pruned, at)?.0 };
            let root = schema.root();
            let keep = fields(root, &rest).named(root).union(&owned.named(root));
            let kept = remove(root, &whole, &fields(root, &whole).named(root).difference(&keep));
            if at == version { Some(kept) } else { Some(self.versions.convert(&kept, version)?.0.into_owned()) }
        };
        kept().unwrap_or_else(|| pruned.clone())
    }
}

/// What all own together, by the version they named it in; `first` comes first.
fn owned(managers: &Managers, first: &str) -> Vec<(String, Set)> {
    let mut all = vec![(first.to_owned(), Set::default())];
    for manager in managers.iter() {
        let version = &manager.owner.version;
        match all.iter_mut().find(|(known, _)| known == version) {
            Some((_, set)) => *set = set.union(&manager.set),
            None => all.push((version.clone(), manager.set.clone())),
        }
    }
    all
}

fn conflicts(managers: &Managers, owner: &Owner, versions: &Comparisons) -> Vec<Conflict> {
    let mut others: Vec<&Manager> = managers.iter().filter(|manager| !manager.owner.is(owner)).collect();
    others.sort_by(|a, b| a.owner.cmp(&b.owner));
    let told = |manager: &Manager| {
        let owner = manager.owner.clone();
        let lost = versions.of(manager).map(|changes| changes.taken(&manager.set).paths());
        lost.into_iter().flatten().map(move |path| Conflict { owner: owner.clone(), path })
    };
    others.into_iter().flat_map(told).collect()
}

/// What a write changes, in all versions that owners speak.
struct Comparisons(Vec<(String, Option<Comparison>)>);

// === impl Comparisons ===

impl Comparisons {
    fn of(&self, manager: &Manager) -> Option<&Comparison> {
        let (_, comparison) = self.0.iter().find(|(version, _)| *version == manager.owner.version)?;
        comparison.as_ref()
    }

    /// What a manager still owns; `None`: nothing, as its version is not served any more.
    fn left(&self, manager: &Manager) -> Option<Set> {
        let changes = self.of(manager)?;
        Some(manager.set.difference(&changes.taken(&manager.set)).difference(&changes.removed))
    }
}

#[cfg(test)]
mod tests;
