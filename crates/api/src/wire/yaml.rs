//! YAML bodies: turned into JSON, then read as such.

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Error, Options};

use super::{DecodeError, Decoded, EncodeError, json};
use crate::{GroupVersionKind, Object};

/// Keys, values, beginnings and ends that all aliases together stand for.
const REPLAYED: usize = 100_000;

pub(super) fn decode(bytes: &[u8], default: Option<&GroupVersionKind>) -> Result<Decoded, DecodeError> {
    let (value, duplicate) = value(bytes)?;
    let mut decoded = json::decode(value.to_string().as_bytes(), default)?;
    decoded.faults.splice(0..0, duplicate);
    Ok(decoded)
}

/// The JSON of a YAML text, and the fault of a key that stands there twice: the last one counts.
pub(crate) fn value(bytes: &[u8]) -> Result<(Value, Option<String>), DecodeError> {
    let bytes = first(bytes);
    let parse = |policy| serde_saphyr::from_slice_with_options::<Value>(bytes, options(policy));
    let failed = |error: Error| DecodeError::Yaml(error.to_string());
    match parse(DuplicateKeyPolicy::Error) {
        Ok(value) => Ok((value, None)),
        Err(error) => {
            let fault = duplicate(&error).ok_or_else(|| failed(error))?;
            Ok((parse(DuplicateKeyPolicy::LastWins).map_err(failed)?, Some(fault)))
        }
    }
}

/// The first document: what comes behind it is not looked at, as upstream has it.
fn first(bytes: &[u8]) -> &[u8] {
    let (mut at, mut begun) = (0, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let plain = line.trim_ascii_end();
        let mark = plain == b"---" || plain.starts_with(b"--- ");
        if begun && (mark || plain == b"...") {
            return &bytes[..at];
        }
        // a directive or a comment may stand before the mark of the first document
        begun |= mark || !plain.is_empty() && !plain.starts_with(b"#") && !plain.starts_with(b"%");
        at += line.len();
    }
    bytes
}

pub(super) fn encode(object: &Object) -> Result<Vec<u8>, EncodeError> {
    // keys in alphabetical order, as Go writes maps
    let mut value = Value::Object(object.root().clone());
    value.sort_all_objects();
    serde_saphyr::to_string(&value).map(String::into_bytes).map_err(|e| EncodeError::Yaml(Box::new(e)))
}

/// Octal numbers are those of YAML 1.1 (`defaultMode: 0644`). Aliases may not stand for more than [`REPLAYED`].
fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        duplicate_keys: duplicate_keys,
        legacy_octal_numbers: true,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: REPLAYED },
    }
}

/// Only the first duplicate is told.
fn duplicate(error: &Error) -> Option<String> {
    let Error::DuplicateMappingKey { key, location } = error else { return None };
    let key = key.as_deref().unwrap_or_default();
    Some(format!("yaml: unmarshal errors:\n  line {}: key {key:?} already set in map", location.line()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn octal_modes_and_duplicates_read_as_upstream() {
        let body = b"kind: ConfigMap\napiVersion: v1\ndata:\n  a: u\n  a: v\n";
        let decoded = decode(body, None).expect("decodes");
        assert_eq!(decoded.faults, ["yaml: unmarshal errors:\n  line 5: key \"a\" already set in map"]);
        assert_eq!(decoded.object.at(&["data"]), Some(&json!({"a": "v"})));
        let (value, _) = value(b"mode: 0644").expect("parses");
        assert_eq!(value, json!({"mode": 420}));
    }

    #[test]
    fn only_the_first_document_counts() {
        for text in ["a: 1\n---\na: 2\n", "# x\n---\na: 1\n---\nb: [\n", "a: 1\n...\nb", "--- \na: 1\n"] {
            assert_eq!(value(text.as_bytes()).map(|(value, _)| value), Ok(json!({"a": 1})), "{text}");
        }
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let item = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", [&*item; 10].join(", ")));
        }
        assert!(value(text.as_bytes()).is_err());
    }

    #[test]
    fn yaml_that_is_not_yaml_is_refused() {
        assert!(value(b"a: [").is_err());
        assert!(value(b"a: b: c").is_err());
    }
}
