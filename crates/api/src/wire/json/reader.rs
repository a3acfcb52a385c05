//! [`Reader`]: one pass from text to value by the field table.
//!
//! Fields come out in Go's order and without nulls. Unknown and duplicate fields are dropped and noted;
//! the first value of a wrong type is noted and reported at the end, because a fault of syntax
//! anywhere counts more.

mod notes;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::scan::{Scan, Scanner};
use crate::schema::{self, MessageId, Type, table};
use crate::wire::DecodeError;

pub(super) struct Reader<'a> {
    pub(super) scan: Scanner<'a>,
    pub(super) faults: Vec<String>,
    path: Vec<Segment<'a>>,
    fault: Option<DecodeError>,
    schema_props: Option<MessageId>,
    object_meta: Option<MessageId>,
    pub(super) open: bool,
}

/// A step on the way from the root. The struct is what Go's type errors begin with.
#[derive(Clone)]
enum Segment<'a> {
    Field { message: MessageId, index: usize },
    Key(Cow<'a, str>),
    Index(usize),
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// `open` says that values without a type are read whole, so that duplicate keys in them count;
    /// within a known kind Go keeps their text as it is.
    pub(super) fn new(text: &'a str, open: bool) -> Self {
        Self {
            scan: Scanner::new(text),
            faults: Vec::new(),
            path: Vec::new(),
            fault: None,
            schema_props: None,
            object_meta: table().named("meta/v1", "ObjectMeta"),
            open,
        }
    }

    /// The whole text as a message, or as an object of a kind that the table does not know: then only
    /// its metadata has a known shape.
    pub(super) fn root(&mut self, message: Option<MessageId>) -> Result<Value, DecodeError> {
        let value = if self.scan.peek()? == b'n' {
            self.scan.literal("null")?;
            Value::Object(Map::new())
        } else if let Some(id) = message {
            Value::Object(self.message(id)?)
        } else {
            Value::Object(self.open_object()?)
        };
        self.scan.finish()?;
        self.fault.take().map_or(Ok(value), Err)
    }

    /// The whole text as metadata that stands at `at`.
    pub(super) fn metadata(&mut self, at: &str) -> Result<Map<String, Value>, DecodeError> {
        let id = self.object_meta.expect("the table has the metadata of objects");
        self.path.push(Segment::Key(Cow::Owned(at.to_owned())));
        let map = if self.scan.peek()? == b'{' {
            self.message(id)?
        } else {
            self.mismatch("value", "v1.ObjectMeta");
            Map::new()
        };
        self.path.pop();
        self.fault.take().map_or(Ok(map), Err)
    }

    fn open_object(&mut self) -> Scan<Map<String, Value>> {
        self.scan.open()?;
        let mut map = Map::new();
        while let Some(key) = self.scan.key(map.is_empty())? {
            self.path.push(Segment::Key(key.clone()));
            let value = match (&*key, self.object_meta, self.scan.peek()?) {
                ("metadata", Some(id), b'{') => Value::Object(self.message(id)?),
                _ => self.any()?,
            };
            self.path.pop();
            self.insert(&mut map, &key, value);
        }
        Ok(map)
    }

    /// Adds an entry of a map and notes if it was there.
    pub(super) fn insert(&mut self, map: &mut Map<String, Value>, key: &str, value: Value) {
        if map.insert(key.to_owned(), value).is_some() {
            self.note("duplicate field", key);
        }
    }

    /// A struct, whose brace is next.
    pub(super) fn message(&mut self, id: MessageId) -> Scan<Map<String, Value>> {
        let message = table().message(id);
        self.scan.open()?;
        let mut map = Map::new();
        let (mut next, mut sorted, mut seen) = (0, true, 0_u128);
        let mut first = true;
        while let Some(key) = self.scan.key(first)? {
            first = false;
            let Some(index) = message.position(&key, next) else {
                self.note("unknown field", &key);
                self.scan.skip()?;
                continue;
            };
            if seen & (1 << index) != 0 {
                self.note("duplicate field", &key);
            }
            seen |= 1 << index;
            sorted &= index >= next;
            next = index + 1;
            self.path.push(Segment::Field { message: id, index });
            let field = &message.json[index].field;
            if let Some(value) = self.value(&field.ty)? {
                map.insert(field.name.to_owned(), value);
            }
            self.path.pop();
        }
        Ok(if sorted { map } else { in_order(id, map) })
    }

    /// A value of a type, or `None` where it is null or wrong.
    pub(super) fn value(&mut self, ty: &'static Type) -> Scan<Option<Value>> {
        let first = self.scan.peek()?;
        if first == b'n' {
            self.scan.literal("null")?;
            return Ok(None);
        }
        match (ty, first) {
            (Type::Message(id), b'{') => self.message(*id).map(Value::Object).map(Some),
            (Type::List(item) | Type::Wrapped(item), b'[') => self.list(item).map(Some),
            (Type::Map(_, item), b'{') => self.map(item).map(Some),
            (Type::Any | Type::Raw | Type::Fields | Type::Json, _) => self.raw().map(Some),
            (Type::SchemaOrArray, b'[') => self.schemas().map(Some),
            (Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings, b'{') => self.schema().map(Some),
            (Type::SchemaOrStrings, b'[') => self.list(&Type::String("")).map(Some),
            _ => self.scalar(ty, first),
        }
    }

    fn list(&mut self, item: &'static Type) -> Scan<Value> {
        self.scan.open()?;
        let mut items = Vec::new();
        while self.scan.element(items.is_empty())? {
            self.path.push(Segment::Index(items.len()));
            // Go makes a zero value of a null among the items.
            let value = self.value(item)?.unwrap_or_else(|| empty(item));
            self.path.pop();
            items.push(value);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, item: &'static Type) -> Scan<Value> {
        self.scan.open()?;
        let mut map = Map::new();
        while let Some(key) = self.scan.key(map.is_empty())? {
            self.path.push(Segment::Key(key.clone()));
            let value = self.value(item)?.unwrap_or_else(|| empty(item));
            self.path.pop();
            self.insert(&mut map, &key, value);
        }
        Ok(Value::Object(map))
    }

    fn schemas(&mut self) -> Scan<Value> {
        self.scan.open()?;
        let mut items = Vec::new();
        while self.scan.element(items.is_empty())? {
            self.path.push(Segment::Index(items.len()));
            let value = if self.scan.peek()? == b'{' { self.schema()? } else { self.raw()? };
            self.path.pop();
            items.push(value);
        }
        Ok(Value::Array(items))
    }

    fn schema(&mut self) -> Scan<Value> {
        let id = *self.schema_props.get_or_insert_with(|| {
            table().named("apiextensions/v1", "JSONSchemaProps").expect("the table has the kinds of apiextensions")
        });
        self.message(id).map(Value::Object)
    }

    pub(super) fn at_key<T>(&mut self, key: Cow<'a, str>, read: impl FnOnce(&mut Self) -> Scan<T>) -> Scan<T> {
        self.path.push(Segment::Key(key));
        let value = read(self);
        self.path.pop();
        value
    }

    pub(super) fn at_index<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> Scan<T>) -> Scan<T> {
        self.path.push(Segment::Index(index));
        let value = read(self);
        self.path.pop();
        value
    }
}

/// Go's zero value of an item, without the fields that a struct would get when it is written.
fn empty(ty: &Type) -> Value {
    match ty {
        Type::Message(_) => Value::Object(Map::new()),
        other => schema::zero(other),
    }
}

fn in_order(id: MessageId, mut map: Map<String, Value>) -> Map<String, Value> {
    let mut sorted = Map::with_capacity(map.len());
    for json in &table().message(id).json {
        if let Some((key, value)) = map.swap_remove_entry(json.field.name) {
            sorted.insert(key, value);
        }
    }
    sorted
}
