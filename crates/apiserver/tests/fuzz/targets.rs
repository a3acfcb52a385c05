//! What is fuzzed: each target reads bytes, checks what must hold of what it read, and tells how long that is.

use jiff::tz::TimeZone;
use nakhoda_api::apply::{Element, Managers, Schema, Set, compare, fields, merge, remove};
use nakhoda_api::cel::{Budget, Program, Type, Val, Variables};
use nakhoda_api::cron::Schedule;
use nakhoda_api::jsonpath::Template;
use nakhoda_api::patch::{self, PatchKind};
use nakhoda_api::quantity::Quantity;
use nakhoda_api::selector::{FieldSelector, LabelSelector};
use nakhoda_api::wire::{self, Media};
use nakhoda_api::{GroupVersion, GroupVersionKind, Object, apply as ssa, names as rules, structural};
use nakhoda_apiserver::rest::negotiate;
use nakhoda_apiserver::rest::path::Route;
use nakhoda_apiserver::rest::query::Query;
use nakhoda_apiserver::verb::token::Token;
use serde_json::{Value, json};

const MEDIA: [Media; 3] = [Media::Json, Media::Yaml, Media::Protobuf];
/// What a run of an expression may cost.
const BUDGET: u64 = 100_000;

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn pod() -> GroupVersionKind {
    GroupVersionKind::new("", "v1", "Pod")
}

/// What was read is written, and read again as the same, in each media type.
fn decoded(media: Media, input: &[u8]) -> usize {
    let Ok(read) = wire::decode(media, input, Some(&pod())) else { return 0 };
    let mut size = 0;
    for media in MEDIA {
        let Ok(written) = wire::encode(media, &read.object) else { continue };
        size = size.max(written.len());
        if media != Media::Protobuf {
            let again = wire::decode(media, &written, Some(&pod())).expect("what was written is read");
            assert_eq!(again.object, read.object);
        } else if let Ok(again) = wire::decode(media, &written, Some(&pod())) {
            let stable = wire::encode(media, &again.object).expect("what was read is written");
            assert_eq!(wire::decode(media, &stable, Some(&pod())).map(|read| read.object), Ok(again.object));
        }
    }
    size + read.faults.iter().map(String::len).sum::<usize>()
}

pub(crate) fn json(input: &[u8]) -> usize {
    let any = wire::read_any(input).map_or(0, |(value, _)| value.to_string().len());
    any.max(decoded(Media::Json, input))
}

pub(crate) fn yaml(input: &[u8]) -> usize {
    let any = wire::read_yaml(input).map_or(0, |(value, _)| value.to_string().len());
    any.max(decoded(Media::Yaml, input))
}

/// The corpus is JSON, and is mutated after it was made protobuf: the first byte says how.
pub(crate) fn protobuf(input: &[u8]) -> usize {
    let (flips, body) = input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
    let mut bytes = wire::decode(Media::Json, body, Some(&pod()))
        .ok()
        .and_then(|read| wire::encode(Media::Protobuf, &read.object).ok())
        .unwrap_or_else(|| input.to_vec());
    for step in 0..usize::from(flips % 8) {
        let (at, length) = (usize::from(flips).wrapping_mul(step * 31 + 7), bytes.len());
        if length > 0 {
            bytes[at % length] = bytes[at % length].wrapping_add(flips);
        }
    }
    decoded(Media::Protobuf, &bytes).max(decoded(Media::Protobuf, input))
}

fn live() -> Object {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {"a": "b"}, "finalizers": ["x.io/a"]},
        "spec": {"containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}]}], "nodeSelector": {"k": "v"}},
    });
    Object::from_value(pod).expect("an object")
}

fn patched(kind: PatchKind, input: &[u8]) -> usize {
    patch::apply(kind, &live(), input).map_or(0, |object| object.to_json().len())
}

pub(crate) fn json_patch(input: &[u8]) -> usize {
    patched(PatchKind::Json, input)
}

pub(crate) fn merge_patch(input: &[u8]) -> usize {
    patched(PatchKind::Merge, input)
}

pub(crate) fn strategic_patch(input: &[u8]) -> usize {
    patched(PatchKind::Strategic, input)
}

/// What is applied is there afterwards, and nothing else has changed.
pub(crate) fn apply(input: &[u8]) -> usize {
    let Ok((configuration, _)) = wire::read_yaml(input) else { return 0 };
    let schema = Schema::of(&pod()).expect("a kind with a schema");
    let (root, live) = (schema.root(), live().into_value());
    if ssa::check(root, &configuration).is_err() {
        return 0;
    }
    let merged = merge(root, &live, &configuration).unwrap_or(Value::Null);
    let (own, changes) = (fields(root, &configuration), compare::compare(root, &live, &merged));
    assert!(changes.removed.is_empty(), "an apply alone takes nothing away");
    let rest = remove(root, &merged, &own);
    merged.to_string().len().max(rest.to_string().len())
}

pub(crate) fn managed_fields(input: &[u8]) -> usize {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return 0 };
    let Ok(managers) = Managers::decode(Some(&value)) else { return 0 };
    // they are put in order when they are written
    let written = managers.encode();
    let again = Managers::decode(written.as_ref()).expect("what was written is read");
    assert_eq!(again.encode(), written);
    written.map_or(0, |value| value.to_string().len())
}

pub(crate) fn field_paths(input: &[u8]) -> usize {
    let line = text(input);
    if let Ok(Some(element)) = Element::parse(&line) {
        assert_eq!(Element::parse(&element.encode()), Ok(Some(element)));
    }
    let Ok(Value::Object(map)) = serde_json::from_slice(input) else { return 0 };
    let Ok(set) = Set::from_fields(&map) else { return 0 };
    let written = set.to_fields();
    assert_eq!(Set::from_fields(&written).as_ref(), Ok(&set));
    Value::Object(written).to_string().len()
}

pub(crate) fn label_selectors(input: &[u8]) -> usize {
    let Ok(selector) = LabelSelector::parse(&text(input)) else { return 0 };
    let written = selector.to_string();
    let labels: std::collections::BTreeMap<String, String> = [("a".to_owned(), "b".to_owned())].into();
    let again = LabelSelector::parse(&written).expect("what was written is read");
    assert_eq!(again.matches(&labels), selector.matches(&labels));
    written.len()
}

pub(crate) fn field_selectors(input: &[u8]) -> usize {
    let Ok(selector) = FieldSelector::parse(&text(input)) else { return 0 };
    selector.matches(&[("metadata.name", "a")]);
    selector.terms().len()
}

pub(crate) fn continue_tokens(input: &[u8]) -> usize {
    let Ok(token) = Token::decode(&text(input)) else { return 0 };
    assert_eq!(Token::decode(&token.encode()).as_ref(), Ok(&token));
    token.start.len()
}

pub(crate) fn quantities(input: &[u8]) -> usize {
    let Ok(quantity) = Quantity::parse(&text(input)) else { return 0 };
    let written = quantity.to_string();
    let again = Quantity::parse(&written).expect("what was written is read");
    assert_eq!(
        (again.value(), again.milli(), again.to_string()),
        (quantity.value(), quantity.milli(), written.clone())
    );
    written.len()
}

pub(crate) fn cel(input: &[u8]) -> usize {
    let value = json!({"a": [1, 2, 3], "b": {"c": "text", "d": 1.5}, "e": null});
    let variables: Variables<'_> = [("self".to_owned(), Type::Dyn)].into();
    let (program, _) = match Program::compile(&text(input), &variables) {
        Ok(compiled) => compiled,
        Err(error) => return error.to_string().len() / 100,
    };
    let outcome = program.run(&[("self", Val::of(&value, None))], &mut Budget::new(BUDGET));
    outcome.map_or(0, |value| format!("{value:?}").len() / 10)
}

pub(crate) fn headers(input: &[u8]) -> usize {
    let (header, query) = (text(input), Query::default());
    let forms = negotiate::forms(&header, &query, "").map_or(0, |forms| forms.len());
    let streams = negotiate::stream_forms(&header, &query, "").map_or(0, |forms| forms.len());
    let _ = negotiate::content_type(&header);
    forms + streams
}

pub(crate) fn urls(input: &[u8]) -> usize {
    let line = text(input);
    let (path, query) = line.split_once('?').unwrap_or((&line, ""));
    let (route, query) = (Route::parse(path), Query::parse(query));
    let _ = (query.list(), query.watch(), query.write("PatchOptions"), query.included());
    format!("{route:?}").len() / 10
}

pub(crate) fn names(input: &[u8]) -> usize {
    let name = text(input);
    let rules = [
        rules::is_dns1123_label,
        rules::is_dns1123_subdomain,
        rules::is_wildcard_dns1123_subdomain,
        rules::is_dns1035_label,
        rules::is_path_segment_name,
        rules::is_valid_ip,
        rules::is_valid_cidr,
    ];
    let _ = (GroupVersion::parse(&name), PatchKind::parse(&name), Media::parse(&name));
    rules.iter().flat_map(|rule| rule(&name)).count()
}

/// A schema of a custom resource, its pruning, its defaults and its faults.
pub(crate) fn schemas(input: &[u8]) -> usize {
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return 0 };
    structural::Schema::parse(&value).map_or(0, |schema| schema.children().count())
}

/// The first value, as columns of custom resources show it.
pub(crate) fn jsonpath(input: &[u8]) -> usize {
    let Ok(template) = Template::parse(&text(input)) else { return 0 };
    template.first(&live().into_value()).map_or(0, |value| value.to_string().len() / 100)
}

pub(crate) fn cron(input: &[u8]) -> usize {
    let Ok(schedule) = Schedule::parse(&text(input)) else { return 0 };
    let zone = TimeZone::UTC;
    schedule.next("2024-02-28T23:59:59Z".parse().expect("a time"), &zone).map_or(0, |_| 1)
}
