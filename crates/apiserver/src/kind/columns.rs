//! Table columns: what `kubectl get` prints of a kind (`pkg/printers/internalversion`).

use jiff::Timestamp;
use k8s_openapi::Metadata;
use nakhoda_api::kinds::meta::ObjectMeta;
use serde_json::Value;

pub use nakhoda_api::time::{human, since};

/// The head of one column (meta/v1 TableColumnDefinition).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// As printed, for example `Age`.
    pub name: &'static str,
    /// `string`, `integer`, `boolean` …
    pub type_: &'static str,
    /// `name` for the name column, else empty.
    pub format: &'static str,
    /// For people; empty for built-in kinds.
    pub description: &'static str,
    /// 0 is always printed, 1 with `-o wide`.
    pub priority: i32,
}

/// How one cell is made of an object at a point of time.
pub type Cell<T> = fn(&T, Timestamp) -> Value;

/// The columns of a kind, in order.
pub struct Columns<T>(Vec<(Column, Cell<T>)>);

// === impl Columns ===

impl<T: Metadata<Ty = ObjectMeta>> Columns<T> {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Only the name.
    #[must_use]
    pub fn named() -> Self {
        let name = Column { name: "Name", type_: "string", format: "name", description: "", priority: 0 };
        Self(vec![(name, |object, _| object.metadata().name.clone().unwrap_or_default().into())])
    }

    /// A column of text.
    #[must_use]
    pub fn text(self, name: &'static str, cell: Cell<T>) -> Self {
        self.add(name, "string", 0, cell)
    }

    /// A column of text that only `-o wide` prints.
    #[must_use]
    pub fn wide(self, name: &'static str, cell: Cell<T>) -> Self {
        self.add(name, "string", 1, cell)
    }

    /// A column of whole numbers.
    #[must_use]
    pub fn number(self, name: &'static str, cell: Cell<T>) -> Self {
        self.add(name, "integer", 0, cell)
    }

    /// Any column.
    #[must_use]
    pub fn add(mut self, name: &'static str, type_: &'static str, priority: i32, cell: Cell<T>) -> Self {
        self.0.push((Column { name, type_, format: "", description: "", priority }, cell));
        self
    }

    /// Gives the last column a format.
    #[must_use]
    pub fn format(mut self, format: &'static str) -> Self {
        if let Some((column, _)) = self.0.last_mut() {
            column.format = format;
        }
        self
    }

    /// The time since the object was made.
    #[must_use]
    pub fn age(self) -> Self {
        self.text("Age", |object, now| since(object.metadata().creation_timestamp.as_ref().map(|t| t.0), now).into())
    }

    /// Name and the time it was made: what upstream shows of kinds that have no printer of their own.
    #[must_use]
    pub fn created() -> Self {
        Self::named().add("Created At", "date", 0, |object, _| {
            let made = object.metadata().creation_timestamp.as_ref();
            made.map_or(Value::Null, |t| nakhoda_api::time::now_rfc3339(t.0).into())
        })
    }

    /// The heads.
    #[must_use]
    pub fn head(&self) -> Vec<Column> {
        self.0.iter().map(|(column, _)| *column).collect()
    }

    /// The cells of one object.
    #[must_use]
    pub fn cells(&self, object: &T, now: Timestamp) -> Vec<Value> {
        self.0.iter().map(|(_, cell)| cell(object, now)).collect()
    }
}

impl<T: Metadata<Ty = ObjectMeta>> Default for Columns<T> {
    fn default() -> Self {
        Self::named().age()
    }
}
