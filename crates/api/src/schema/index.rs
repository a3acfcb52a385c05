//! What is found in a message, by JSON name and by protobuf tag. Made when the table is read.

use super::table::{Field, Message, MessageId, Table, Type};

/// A field as JSON has it.
#[derive(Clone, Debug)]
pub struct JsonField {
    /// The field.
    pub field: Field,
    /// The protobuf tags of the embedded structs it stands in, from the outside; a 0 among them means
    /// that protobuf does not have it.
    pub via: Vec<u32>,
    /// The Go names of these structs, as type errors print them.
    pub within: Vec<&'static str>,
}

/// What a protobuf tag of a message leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot {
    /// The index into [`Message::json`].
    Field(usize),
    /// An embedded struct, whose fields start at this index of [`Message::json`].
    Embedded(MessageId, usize),
}

// === impl Message ===

impl Message {
    /// The index of a JSON field. Fields mostly come in Go's order, so the search starts at `hint`.
    #[must_use]
    pub fn position(&self, name: &str, hint: usize) -> Option<usize> {
        let hint = hint.min(self.json.len());
        let is = |f: &JsonField| f.field.name == name;
        self.json[hint..].iter().position(is).map(|i| i + hint).or_else(|| self.json[..hint].iter().position(is))
    }

    /// The field of this JSON name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.position(name, 0).map(|i| &self.json[i].field)
    }

    pub(crate) fn slot(&self, tag: u32) -> Option<Slot> {
        self.slots.iter().find(|(t, _)| *t == tag).map(|(_, slot)| *slot)
    }
}

/// Fills the indexes of all messages.
pub(super) fn build(table: &mut Table) {
    for at in 0..table.messages.len() {
        let mut json = Vec::new();
        let mut slots = Vec::new();
        for field in &table.messages[at].fields {
            match (&field.ty, field.embedded) {
                (Type::Message(id), true) => {
                    slots.push((field.tag, Slot::Embedded(*id, json.len())));
                    open(table, *id, &[field.tag], &[], &mut json);
                }
                _ => {
                    slots.push((field.tag, Slot::Field(json.len())));
                    json.push(JsonField { field: field.clone(), via: Vec::new(), within: Vec::new() });
                }
            }
        }
        slots.retain(|(tag, _)| *tag != 0);
        let message = &mut table.messages[at];
        message.json = json;
        message.slots = slots;
    }
}

fn open(table: &Table, id: MessageId, via: &[u32], within: &[&'static str], json: &mut Vec<JsonField>) {
    let within = [within, &[table.message(id).name]].concat();
    for field in &table.message(id).fields {
        match (&field.ty, field.embedded) {
            (Type::Message(inner), true) => open(table, *inner, &[via, &[field.tag]].concat(), &within, json),
            _ => json.push(JsonField { field: field.clone(), via: via.to_vec(), within: within.clone() }),
        }
    }
}
