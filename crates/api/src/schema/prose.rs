//! What the public Go types say of themselves in words: the descriptions of `OpenAPI` documents.
//!
//! They lie compressed in the binary and are unpacked for as long as a document is made.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::GzDecoder;

use super::{Message, Type, table};

/// Made by `schema/generate`: a line with the name of a type and its text, and lines with a dot for its fields.
const PACKED: &[u8] = include_bytes!("../../schema/descriptions.txt.gz");

/// The descriptions, unpacked.
pub struct Prose {
    texts: HashMap<String, String>,
}

// === impl Prose ===

impl Prose {
    /// Unpacks them all.
    #[must_use]
    pub fn unpack() -> Self {
        let mut text = String::new();
        GzDecoder::new(PACKED).read_to_string(&mut text).expect("the descriptions were packed when this was built");
        let mut texts = HashMap::new();
        let mut of = "";
        for (name, said) in text.lines().filter_map(|line| line.split_once(' ')) {
            let key = match name.strip_prefix('.') {
                Some(field) => format!("{of}.{field}"),
                None => {
                    of = name;
                    name.to_owned()
                }
            };
            if let Ok(said) = serde_json::from_str::<String>(said)
                && !said.is_empty()
            {
                texts.insert(key, said);
            }
        }
        Self { texts }
    }

    /// Of a type by its name in the table: `core/v1.Pod`.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// Of a message.
    #[must_use]
    pub fn message(&self, message: &Message) -> Option<&str> {
        self.of(&format!("{}.{}", message.package, message.name))
    }

    /// Of a field of a message, or of one that is embedded in it.
    #[must_use]
    pub fn field(&self, message: &Message, name: &str) -> Option<&str> {
        let own = self.of(&format!("{}.{}.{name}", message.package, message.name));
        own.or_else(|| {
            let embedded = message.fields.iter().filter(|field| field.embedded);
            embedded.into_iter().find_map(|field| match &field.ty {
                Type::Message(id) => self.field(table().message(*id), name),
                _ => None,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GroupVersionKind;
    use crate::schema::message_for;

    #[test]
    fn types_and_fields_are_told_also_where_they_are_embedded() {
        let prose = Prose::unpack();
        let pod = table().message(message_for(&GroupVersionKind::new("", "v1", "Pod")).expect("a message"));
        assert!(prose.message(pod).is_some_and(|said| said.starts_with("Pod is a collection of containers")));
        assert!(prose.field(pod, "spec").is_some_and(|said| said.starts_with("Specification of the desired behavior")));
        assert!(prose.field(pod, "apiVersion").is_some_and(|said| said.starts_with("APIVersion defines")));
        assert!(prose.of("meta/v1.Time").is_some() && prose.field(pod, "none").is_none());
    }

    #[test]
    fn every_message_of_the_table_is_in_it() {
        let prose = Prose::unpack();
        let messages = table().kinds().map(|kind| table().message(kind.message));
        let silent: Vec<_> = messages.filter(|message| prose.message(message).is_none()).map(|m| m.name).collect();
        assert!(silent.len() < 10, "{silent:?}");
    }
}
