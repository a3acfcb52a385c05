//! `get --watch`: what is there, and then every change as a row of the same columns.

use futures::StreamExt;
use nakhoda_rpc::v1;
use serde_json::Value;

use super::{Asked, Get, TABLE, parse};
use crate::Error;
use crate::output::out;
use crate::output::table::Rows;

/// What was printed so far.
#[derive(Default)]
struct Printed {
    heads: Value,
    widths: Vec<usize>,
}

// === impl Get ===

impl Get<'_> {
    pub(super) async fn watch(&self, one: &Asked<'_>) -> Result<(), Error> {
        let mut selection = self.selection();
        if let [name] = one.names.as_slice() {
            // what is not there is told, not waited for
            self.answers(one, "").await?;
            selection.fields = format!("metadata.name={name}");
        }
        let target = Some(self.target(one.resource, ""));
        let accept = if self.format.is_table() { TABLE } else { "" };
        let list = v1::ListRequest {
            target: target.clone(),
            selection: Some(selection.clone()),
            accept: accept.into(),
            ..v1::ListRequest::default()
        };
        let chunks = self.client.list_chunks(list).await?;
        let mut printed = Printed::default();
        for item in chunks.iter().flat_map(|chunk| &chunk.items) {
            self.print(one, parse(item)?, &mut printed)?;
        }
        let watch = v1::WatchRequest {
            target,
            selection: Some(selection),
            accept: accept.into(),
            resource_version: chunks.first().map(|chunk| chunk.resource_version.clone()).unwrap_or_default(),
            ..v1::WatchRequest::default()
        };
        let mut batches = self.client.watch_batches(watch).await?;
        while let Some(batch) = batches.next().await {
            for event in batch?.events {
                if event.r#type() == v1::watch_event::Type::Error {
                    let status: nakhoda_api::Status = parse(&event.object)?;
                    return Err(nakhoda_client::Error::from(status).into());
                }
                self.print(one, parse(&event.object)?, &mut printed)?;
            }
        }
        Ok(())
    }

    fn print(&self, one: &Asked<'_>, mut answer: Value, printed: &mut Printed) -> Result<(), Error> {
        if !self.format.is_table() {
            let name = |item: &Value| format!("{}/{}", one.resource.printed(), item["metadata"]["name"].as_str().unwrap_or_default());
            out::text(&self.format.text(&answer, &name)?);
            return Ok(());
        }
        let headless = self.args.no_headers || printed.heads.is_array();
        if answer["columnDefinitions"].is_array() {
            printed.heads = answer["columnDefinitions"].clone();
        } else {
            answer["columnDefinitions"] = printed.heads.clone();
        }
        let mut rows = Rows::of(&answer, self.shown(one.resource), "");
        rows.add_labels(&answer, &self.args.label_columns);
        if !rows.rows.is_empty() {
            out::text(&rows.following(headless, &mut printed.widths));
        } else if !headless {
            // the head line comes with the first row
            printed.heads = Value::Null;
        }
        Ok(())
    }
}
