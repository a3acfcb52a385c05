//! JSON text as text: cut a field out, lay it out for people. Nothing is decoded, so numbers and the
//! order of keys stay as they are.

use bytes::Bytes;
use nakhoda_api::{Status, wire};

/// The text of `metadata`.
pub fn metadata(json: &[u8]) -> Result<&str, Status> {
    let metadata = wire::member(json, "metadata").map_err(|e| Status::internal(&e))?;
    Ok(metadata.unwrap_or("{}"))
}

/// A text as a JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The same JSON with two blanks of indentation and a newline at its end.
#[must_use]
pub fn pretty(json: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(json.len() * 3 / 2);
    let mut depth = 0usize;
    let mut at = 0;
    while at < json.len() {
        match json[at] {
            b'"' => {
                let end = string_end(json, at);
                out.extend_from_slice(&json[at..end]);
                at = end;
                continue;
            }
            open @ (b'{' | b'[') => {
                out.push(open);
                let next = json[at + 1..].iter().position(|b| !b.is_ascii_whitespace()).map(|n| at + 1 + n);
                if let Some(close) = next.filter(|n| matches!(json[*n], b'}' | b']')) {
                    out.push(json[close]);
                    at = close + 1;
                    continue;
                }
                depth += 1;
                newline(&mut out, depth);
            }
            close @ (b'}' | b']') => {
                depth = depth.saturating_sub(1);
                newline(&mut out, depth);
                out.push(close);
            }
            b',' => {
                out.push(b',');
                newline(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
        at += 1;
    }
    out.push(b'\n');
    out.into()
}

fn newline(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// The index behind the string that starts here.
fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < json.len() {
        match json[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_json_says_the_same() {
        let json = br#"{"a":[1,2.50,{"b":"x,{\"y\":1}"}],"c":{},"d":[ ],"e":null}"#;
        let text = pretty(json);
        let expected = "{\n  \"a\": [\n    1,\n    2.50,\n    {\n      \"b\": \"x,{\\\"y\\\":1}\"\n    }\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": null\n}\n";
        assert_eq!(std::str::from_utf8(&text), Ok(expected));
    }

    #[test]
    fn metadata_is_cut_out_as_it_stands() {
        let json = br#"{"kind":"Pod","metadata":{"name":"a","generation":1},"spec":{"metadata":{"name":"b"}}}"#;
        assert_eq!(metadata(json).expect("valid"), r#"{"name":"a","generation":1}"#);
        assert_eq!(metadata(b"{}").expect("valid"), "{}");
    }
}
