//! What the reader notes on its way: faults with their paths, and the first wrong type.

use std::fmt::Write as _;

use super::{Reader, Segment};
use crate::schema::table;
use crate::wire::DecodeError;

/// Upstream stops noting faults at this count.
const MAX_FAULTS: usize = 100;

impl Reader<'_> {
    pub(super) fn note(&mut self, what: &str, field: &str) {
        let mut path = String::new();
        for segment in &self.path {
            match segment {
                Segment::Field { message, index } => join(&mut path, table().message(*message).json[*index].field.name),
                Segment::Key(key) => join(&mut path, key),
                Segment::Index(index) => write!(path, "[{index}]").expect("a String takes all"),
            }
        }
        join(&mut path, field);
        let text = format!("{what} {path:?}");
        if self.faults.len() < MAX_FAULTS && !self.faults.contains(&text) {
            self.faults.push(text);
        }
    }

    /// Notes a value of the wrong type, unless one was noted before.
    pub(in crate::wire::json) fn mismatch(&mut self, found: &str, go_type: &str) {
        self.refuse(format!("json: cannot unmarshal {found} into Go {} of type {go_type}", self.place()));
    }

    /// Notes a number that is no whole one, or too large.
    pub(in crate::wire::json) fn misfit(&mut self, number: &str, go_type: &str) {
        let (number, go) = (number.to_owned(), go_type.to_owned());
        let fault = DecodeError::Number { number, place: self.place(), go };
        self.fault.get_or_insert(fault);
    }

    /// Notes a fault that has words of its own.
    pub(in crate::wire::json) fn refuse(&mut self, text: String) {
        self.fault.get_or_insert(DecodeError::Type(text));
    }

    fn place(&self) -> String {
        self.context().map_or_else(|| "value".to_owned(), |context| format!("struct field {context}"))
    }

    /// `Struct.path.of.fields`, without list indexes and map keys.
    fn context(&self) -> Option<String> {
        let mut owner = None;
        let mut fields = Vec::new();
        for segment in &self.path {
            if let Segment::Field { message, index } = segment {
                let message = table().message(*message);
                owner = Some(message.name);
                fields.extend(&message.json[*index].within);
                fields.push(message.json[*index].field.name);
            }
        }
        owner.map(|owner| format!("{owner}.{}", fields.join(".")))
    }
}

fn join(path: &mut String, field: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(field);
}
