//! `metadata.managedFields`: who owns which fields, in which version, since when.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::set::{Set, SetError};

/// More updaters than this are not told apart: the oldest become one.
const UPDATERS_MAX: usize = 10;
/// Whose the fields of the oldest updaters become.
const ANCIENT: &str = "ancient-changes";

/// How fields came to be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

/// Who owns fields. An applier is the same one in all versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The field manager.
    pub name: String,
    /// How.
    pub operation: Operation,
    /// The version in which the fields are named.
    pub version: String,
    /// Through which subresource; empty for the object itself.
    pub subresource: String,
}

/// An owner and what it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// Who.
    pub owner: Owner,
    /// RFC 3339, in seconds; of the last change.
    pub time: Option<String>,
    /// The fields.
    pub set: Set,
}

/// All owners of the fields of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managers {
    all: Vec<Manager>,
}

/// `managedFields` cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagersError {
    /// Neither of the two.
    #[error("operation must be `Apply` or `Update`")]
    Operation,
    /// It says in which version the fields are named.
    #[error("apiVersion must not be empty")]
    Version,
    /// It says how the fields are written.
    #[error("missing fieldsType in managed fields entry {0}")]
    NoFieldsType(usize),
    /// There is one way.
    #[error("invalid fieldsType {kind:?} in managed fields entry {entry}")]
    FieldsType {
        /// What is given.
        kind: String,
        /// Of which entry.
        entry: usize,
    },
    /// The fields cannot be read.
    #[error("error decoding set: {0}")]
    Set(#[from] SetError),
}

// === impl Owner ===

impl Owner {
    /// Whether both are one.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.version == other.version)
    }
}

/// As conflicts name it.
impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.name)?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {:?}", self.subresource)?;
        }
        if self.operation == Operation::Update { write!(f, " using {}", self.version) } else { Ok(()) }
    }
}

// === impl Managers ===

impl Managers {
    /// Reads `managedFields`; absent is empty.
    pub fn decode(fields: Option<&Value>) -> Result<Self, ManagersError> {
        let mut managers = Self::default();
        for (index, entry) in fields.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let manager = decode(entry, index)?;
            managers.put(manager);
        }
        Ok(managers)
    }

    /// Writes `managedFields`, in upstream's order; `None`: there is nothing to write.
    #[must_use]
    pub fn encode(&self) -> Option<Value> {
        let mut sorted: Vec<&Manager> = self.all.iter().collect();
        sorted.sort_by(|a, b| order(a, b));
        (!sorted.is_empty()).then(|| sorted.into_iter().map(encode).collect())
    }

    /// Whether nobody owns anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Manager> {
        self.all.iter()
    }

    /// What an owner owns.
    #[must_use]
    pub fn get(&self, owner: &Owner) -> Option<&Manager> {
        self.all.iter().find(|manager| manager.owner.is(owner))
    }

    /// Puts a manager in the place of the one with its owner, if there is one.
    pub fn put(&mut self, manager: Manager) {
        match self.all.iter_mut().find(|old| old.owner.is(&manager.owner)) {
            Some(old) => *old = manager,
            None => self.all.push(manager),
        }
    }

    /// Adds a manager, even if there is one with its owner: of the two, the last is read back.
    pub fn add(&mut self, manager: Manager) {
        self.all.push(manager);
    }

    /// Takes a manager out.
    pub fn take(&mut self, owner: &Owner) -> Option<Manager> {
        let at = self.all.iter().position(|manager| manager.owner.is(owner))?;
        Some(self.all.remove(at))
    }

    /// Changes what each of them owns; who owns nothing any more is no manager. `None`: the manager goes as a whole.
    pub fn revise(&mut self, change: impl Fn(&Manager) -> Option<Set>) {
        self.all.retain_mut(|manager| match change(manager) {
            Some(set) => {
                manager.set = set;
                !manager.set.is_empty()
            }
            None => false,
        });
    }

    /// Makes one of the oldest updaters of each version, until there are few enough of them.
    pub fn cap(&mut self) {
        let mut updaters: Vec<Manager> =
            self.all.iter().filter(|m| m.owner.operation == Operation::Update).cloned().collect();
        let mut left = updaters.len();
        if left <= UPDATERS_MAX {
            return;
        }
        updaters.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.owner.cmp(&b.owner)));
        let mut first: Vec<Owner> = Vec::new();
        for manager in updaters {
            if left <= UPDATERS_MAX {
                return;
            }
            let bucket = Owner { name: ANCIENT.into(), subresource: String::new(), ..manager.owner.clone() };
            let Some(oldest) = first.iter().find(|owner| owner.version == manager.owner.version) else {
                first.push(manager.owner);
                continue;
            };
            let known = if self.get(&bucket).is_some() { bucket.clone() } else { oldest.clone() };
            let set = self.take(&known).map_or_else(Set::default, |ancient| ancient.set.union(&manager.set));
            self.take(&manager.owner);
            self.put(Manager { owner: bucket, time: manager.time, set });
            left -= 1;
        }
    }
}

/// Appliers first, then by time, name, version and subresource.
fn order(a: &Manager, b: &Manager) -> Ordering {
    let key = |m: &Manager| (m.owner.operation, m.time.clone(), m.owner.clone());
    key(a).cmp(&key(b)).then_with(|| a.owner.version.cmp(&b.owner.version))
}

fn decode(entry: &Value, index: usize) -> Result<Manager, ManagersError> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let operation = match text("operation").as_str() {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return Err(ManagersError::Operation),
    };
    let version = Some(text("apiVersion")).filter(|version| !version.is_empty()).ok_or(ManagersError::Version)?;
    match text("fieldsType").as_str() {
        "FieldsV1" => {}
        "" => return Err(ManagersError::NoFieldsType(index)),
        kind => return Err(ManagersError::FieldsType { kind: kind.to_owned(), entry: index }),
    }
    let none = Map::new();
    let set = Set::from_fields(entry.get("fieldsV1").and_then(Value::as_object).unwrap_or(&none))?;
    let owner = Owner { name: text("manager"), operation, version, subresource: text("subresource") };
    Ok(Manager { owner, time: Some(text("time")).filter(|time| !time.is_empty()), set })
}

fn encode(manager: &Manager) -> Value {
    let Manager { owner, time, set } = manager;
    let mut entry = Map::new();
    let mut put = |field: &str, text: &str| {
        if !text.is_empty() {
            entry.insert(field.to_owned(), Value::from(text));
        }
    };
    put("manager", &owner.name);
    put("operation", if owner.operation == Operation::Apply { "Apply" } else { "Update" });
    put("apiVersion", &owner.version);
    put("time", time.as_deref().unwrap_or_default());
    put("fieldsType", "FieldsV1");
    entry.insert("fieldsV1".to_owned(), Value::Object(set.to_fields()));
    if !owner.subresource.is_empty() {
        entry.insert("subresource".to_owned(), Value::from(owner.subresource.as_str()));
    }
    Value::Object(entry)
}

#[cfg(test)]
mod tests;
