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
    let rows: Result<Vec<_>, _> =
        items.iter().map(|item| row(kind, item.to_string().as_bytes(), included, now)).collect();
    Ok(assemble("{}", Some(columns(kind)), Some(rows?.join(","))))
}

/// A table of one object with or without the heads: later events of a watch carry none.
pub fn event(kind: &Served, json: &[u8], included: Included, now: Timestamp, heads: bool) -> Result<Bytes, Status> {
    let meta: Value = serde_json::from_str(text::metadata(json)?).map_err(|e| Status::internal(&e))?;
    let revision = meta.get("resourceVersion").and_then(Value::as_str).unwrap_or_default();
    let metadata = match revision {
        "" => "{}".to_owned(),
        revision => format!(r#"{{"resourceVersion":{}}}"#, text::quoted(revision)),
    };
    let row = row(kind, json, included, now)?;
    Ok(assemble(&metadata, heads.then(|| columns(kind)), Some(row)))
}

/// A table without rows, for a bookmark.
#[must_use]
pub fn empty(revision: u64) -> Bytes {
    assemble(&format!(r#"{{"resourceVersion":"{revision}"}}"#), None, None)
}

/// What stands before and behind the rows of a table.
pub(super) fn ends(kind: &Served, metadata: &str) -> (Vec<u8>, Vec<u8>) {
    (head(metadata, &columns(kind)).into(), b"]}".to_vec())
}

fn assemble(metadata: &str, columns: Option<Value>, row: Option<String>) -> Bytes {
    (head(metadata, &columns.unwrap_or_default()) + &row.unwrap_or_default() + "]}").into()
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

pub(super) fn row(kind: &Served, json: &[u8], included: Included, now: Timestamp) -> Result<String, Status> {
    let cells = Value::from(kind.strategy.row(json, now));
    let object = match included {
        Included::Metadata => partial::of(json, kind.info.unshown)?,
        Included::None => Bytes::from_static(b"null"),
        Included::Object => Bytes::copy_from_slice(json),
    };
    let object = std::str::from_utf8(&object).map_err(|e| Status::internal(&e))?;
    Ok(format!(r#"{{"cells":{cells},"object":{object}}}"#))
}
