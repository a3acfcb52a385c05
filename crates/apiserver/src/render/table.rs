//! Tables: the rows that `kubectl get` prints, made by the kind's columns.

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::Status;
use serde_json::{Value, json};

use super::{META, json as text, partial};
use crate::kind::Served;
use crate::request::{Accept, Form, Included};

/// A table of one object.
pub fn one(kind: &Served, json: &[u8], accept: Accept, now: Timestamp) -> Result<Bytes, Status> {
    let Form::Table(included) = accept.form else { return Err(Status::not_acceptable("not a table")) };
    event(kind, json, included, now, true)
}

/// A table of a list that is not stored.
pub fn many(kind: &Served, items: &Value, included: Included, now: Timestamp) -> Result<Bytes, Status> {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut rows = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            rows.push(b',');
        }
        row(kind, item.to_string().as_bytes(), included, now, &mut rows)?;
    }
    Ok(assemble("{}", Some(columns(kind)), &rows))
}

/// A table of one object with or without the heads: later events of a watch carry none.
pub fn event(kind: &Served, json: &[u8], included: Included, now: Timestamp, heads: bool) -> Result<Bytes, Status> {
    let meta: Value = serde_json::from_str(text::metadata(json)?).map_err(|e| Status::internal(&e))?;
    let revision = meta.get("resourceVersion").and_then(Value::as_str).unwrap_or_default();
    let metadata = match revision {
        "" => "{}".to_owned(),
        revision => format!(r#"{{"resourceVersion":{}}}"#, text::quoted(revision)),
    };
    let mut rows = Vec::new();
    row(kind, json, included, now, &mut rows)?;
    Ok(assemble(&metadata, heads.then(|| columns(kind)), &rows))
}

/// A table without rows, for a bookmark.
#[must_use]
pub fn empty(revision: u64) -> Bytes {
    assemble(&format!(r#"{{"resourceVersion":"{revision}"}}"#), None, &[])
}

/// What stands before and behind the rows of a table.
pub(super) fn ends(kind: &Served, metadata: &str) -> (Vec<u8>, Vec<u8>) {
    (head(metadata, &columns(kind)).into(), b"]}".to_vec())
}

fn assemble(metadata: &str, columns: Option<Value>, rows: &[u8]) -> Bytes {
    let head = head(metadata, &columns.unwrap_or_default());
    [head.as_bytes(), rows, b"]}"].concat().into()
}

fn head(metadata: &str, columns: &Value) -> String {
    format!(r#"{{"kind":"Table","apiVersion":"{META}","metadata":{metadata},"columnDefinitions":{columns},"rows":["#)
}

fn columns(kind: &Served) -> Value {
    let heads = kind.strategy.columns().into_iter().map(
        |c| json!({"name": c.name, "type": c.type_, "format": c.format, "description": c.description, "priority": c.priority}),
    );
    heads.collect()
}

/// Writes a row.
pub(super) fn row(
    kind: &Served,
    json: &[u8],
    included: Included,
    now: Timestamp,
    out: &mut Vec<u8>,
) -> Result<(), Status> {
    out.extend_from_slice(br#"{"cells":"#);
    serde_json::to_writer(&mut *out, &kind.strategy.row(json, now)).map_err(|e| Status::internal(&e))?;
    out.extend_from_slice(br#","object":"#);
    match included {
        Included::Metadata => partial::write(json, kind.info.unshown, out)?,
        Included::None => out.extend_from_slice(b"null"),
        Included::Object => out.extend_from_slice(json),
    }
    out.push(b'}');
    Ok(())
}
