//! Reads the table's text form, which a program of ours wrote: it is trusted, and a fault in it is a bug.
//!
//! Lines: `package ID GO-PATH`, `message NAME [atomic]`, then one line for each field
//! `TAG NAME TYPE FLAGS [KEY=VALUE]…`, or `= OTHER` for an alias; `enum NAME "V"…`;
//! `kind GROUP VERSION KIND MESSAGE`. In types `*` is a pointer, `[]` a list, `{K}` a map, `<>` a list that is
//! a message in protobuf. Flags: `o` omitempty, `z` omitzero, `i` embedded, `r` required.

use std::collections::HashMap;

use super::index;
use super::table::{Field, Kind, Message, MessageId, Table, Type};

const TRUSTED: &str = "the table is generated";

pub(super) fn parse(text: &'static str) -> Table {
    let ids = number(text);
    let mut table = Table::default();
    let (mut package, mut path) = ("", "");
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (word, rest) = line.split_once(' ').expect(TRUSTED);
        match word {
            "package" => (package, path) = rest.split_once(' ').expect(TRUSTED),
            "message" => {
                let (name, facts) = rest.split_once(' ').unwrap_or((rest, ""));
                table.messages.push(Message { package, path, name, atomic: facts == "atomic", ..Message::default() });
            }
            "=" => {
                let message = table.messages.last_mut().expect(TRUSTED);
                message.fields = vec![alias(rest, &ids)];
            }
            "enum" => enumeration(&mut table, rest),
            "kind" => kind(&mut table, rest, &ids),
            tag => {
                let message = table.messages.last_mut().expect(TRUSTED);
                message.fields.push(field(tag, rest, &ids));
            }
        }
    }
    resolve_aliases(&mut table);
    index::build(&mut table);
    table
}

/// Messages refer to later ones, so they are numbered first.
fn number(text: &'static str) -> HashMap<(&'static str, &'static str), MessageId> {
    let mut ids = HashMap::new();
    let mut package = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("package ") {
            package = rest.split(' ').next().expect(TRUSTED);
        } else if let Some(rest) = line.strip_prefix("message ") {
            let next = MessageId(u16::try_from(ids.len()).expect(TRUSTED));
            ids.insert((package, rest.split(' ').next().expect(TRUSTED)), next);
        }
    }
    ids
}

type Ids = HashMap<(&'static str, &'static str), MessageId>;

fn alias(of: &'static str, ids: &Ids) -> Field {
    field("0", Box::leak(format!("- {of} i").into_boxed_str()), ids)
}

/// An alias holds one embedded field without a tag so far; it takes the fields of its target.
fn resolve_aliases(table: &mut Table) {
    for at in 0..table.messages.len() {
        if let [Field { ty: Type::Message(target), embedded: true, tag: 0, .. }] = table.messages[at].fields[..] {
            table.messages[at].fields = table.message(target).fields.clone();
        }
    }
}

fn enumeration(table: &mut Table, rest: &'static str) {
    let (name, values) = rest.split_once(' ').expect(TRUSTED);
    let values = values.split(' ').map(|v| v.trim_matches('"')).collect();
    table.enums.insert(name, values);
}

fn kind(table: &mut Table, rest: &'static str, ids: &Ids) {
    let mut words = rest.split(' ');
    let mut next = || words.next().expect(TRUSTED);
    let (group, version, kind, message) = (next(), next(), next(), next());
    let group = if group == "-" { "" } else { group };
    let message = ids[&message.rsplit_once('.').expect(TRUSTED)];
    table.kinds.entry(kind).or_default().push(Kind { group, version, kind, message });
}

fn field(tag: &str, rest: &'static str, ids: &Ids) -> Field {
    let mut words = rest.split(' ');
    let name = words.next().expect(TRUSTED);
    let ty = words.next().expect(TRUSTED);
    let flags = words.next().expect(TRUSTED);
    let mut field = Field {
        tag: tag.parse().expect(TRUSTED),
        name,
        ty: self::ty(ty.trim_start_matches('*'), ids),
        pointer: ty.starts_with('*'),
        omit_empty: flags.contains('o'),
        omit_zero: flags.contains('z'),
        embedded: flags.contains('i'),
        required: flags.contains('r'),
        patch_strategy: "",
        merge_key: "",
        list_type: "",
        list_keys: "",
        map_type: "",
        struct_type: "",
        default: None,
    };
    for (key, value) in words.filter_map(|word| word.split_once('=')) {
        match key {
            "p" => field.patch_strategy = value,
            "k" => field.merge_key = value,
            "l" => field.list_type = value,
            "lk" => field.list_keys = value,
            "m" => field.map_type = value,
            "s" => field.struct_type = value,
            _ => field.default = Some(value),
        }
    }
    field
}

fn ty(text: &'static str, ids: &Ids) -> Type {
    if let Some(item) = text.strip_prefix("[]") {
        return Type::List(Box::new(ty(item.trim_start_matches('*'), ids)));
    }
    if let Some(inner) = text.strip_prefix("<[]") {
        return Type::Wrapped(Box::new(ty(inner.trim_end_matches('>'), ids)));
    }
    if let Some((key, value)) = text.strip_prefix('{').and_then(|t| t.split_once('}')) {
        let name = key.split_once('=').map_or("", |(_, name)| name);
        return Type::Map(name, Box::new(ty(value.trim_start_matches('*'), ids)));
    }
    let (plain, name) = text.split_once('=').unwrap_or((text, ""));
    scalar(plain, name).unwrap_or_else(|| Type::Message(ids[&plain.rsplit_once('.').expect(TRUSTED)]))
}

fn scalar(plain: &str, name: &'static str) -> Option<Type> {
    Some(match plain {
        "bool" => Type::Bool,
        "int32" => Type::Int32(name),
        "int64" => Type::Int64(name),
        "float64" => Type::Float,
        "string" => Type::String(name),
        "bytes" => Type::Bytes,
        "any" => Type::Any,
        "quantity" => Type::Quantity,
        "time" => Type::Time,
        "microtime" => Type::MicroTime,
        "duration" => Type::Duration,
        "intorstring" => Type::IntOrString,
        "raw" => Type::Raw,
        "fields" => Type::Fields,
        "json" => Type::Json,
        "schemaorarray" => Type::SchemaOrArray,
        "schemaorbool" => Type::SchemaOrBool,
        "schemaorstrings" => Type::SchemaOrStrings,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::table;

    fn message(package: &str, name: &str) -> &'static Message {
        table().message(table().named(package, name).expect("is in the table"))
    }

    #[test]
    fn facts_of_known_fields_are_in_the_table() {
        let containers = message("core/v1", "PodSpec").field("containers").expect("a field");
        assert_eq!((containers.tag, containers.patch_strategy, containers.merge_key), (2, "merge", "name"));
        assert_eq!((containers.list_type, containers.list_keys, containers.omit_empty), ("map", "name", false));
        assert_eq!(containers.ty.go_name(), "[]v1.Container");
        let labels = message("meta/v1", "ObjectMeta").field("labels").expect("a field");
        assert_eq!(labels.ty.go_name(), "map[string]string");
        let limits = message("core/v1", "ResourceRequirements").field("limits").expect("a field");
        assert_eq!(limits.ty.go_name(), "map[v1.ResourceName]resource.Quantity");
    }

    #[test]
    fn embedded_structs_are_opened_in_place() {
        let volume = message("core/v1", "Volume");
        let at = volume.position("configMap", 0).expect("a field");
        assert_eq!(volume.json[at].via, [2]);
        assert_eq!(volume.json[at].field.tag, 19);
    }

    /// The reader keeps the fields it has seen in the bits of a `u128`.
    #[test]
    fn no_message_has_more_fields_than_the_reader_can_count() {
        assert!(table().messages.iter().all(|message| message.json.len() <= 128));
    }

    #[test]
    fn options_are_kinds_of_every_group() {
        let of = |group, kind| table().kind(group, "v1", kind);
        assert_eq!(of("apps", "DeleteOptions"), of("", "DeleteOptions"));
        assert!(of("apps", "Deployment").is_some());
        assert!(of("apps", "Pod").is_none());
        assert!(of("", "List").is_some_and(|id| table().message(id).field("items").is_some()));
    }
}
