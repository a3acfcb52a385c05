//! What the reader notes on its way: faults with their paths, and the first wrong type.

use std::fmt::Write as _;

use super::{Reader, Segment};
use crate::schema::table;

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
        let text = match self.context() {
            Some(context) => format!("json: cannot unmarshal {found} into Go struct field {context} of type {go_type}"),
            None => format!("json: cannot unmarshal {found} into Go value of type {go_type}"),
        };
        self.refuse(text);
    }

    /// Notes a fault that has words of its own.
    pub(in crate::wire::json) fn refuse(&mut self, text: String) {
        self.fault.get_or_insert(text);
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
