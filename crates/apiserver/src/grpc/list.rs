//! LIST in chunks, so that no message grows with the collection.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use nakhoda_api::Status;
use nakhoda_rpc::v1::ListChunk;
use nakhoda_store::cache::Item;

use super::convert::failed;
use crate::kind::Served;
use crate::render;
use crate::request::{Accept, Form};
use crate::response::{Answer, Response};

/// So many items at most in a chunk.
const ITEMS: usize = 500;
/// So many bytes, roughly, in a chunk.
const BYTES: usize = 1 << 20;

/// The chunks of a list.
pub fn chunks(
    response: Response,
    accept: Accept,
) -> Result<BoxStream<'static, Result<ListChunk, tonic::Status>>, Status> {
    let Answer::List { kind, items, revision, continue_token, remaining } = response.answer else {
        return Err(Status::bad_request("this resource does not answer with a list"));
    };
    let media_type = accept.media.mime().to_owned();
    let head = ListChunk { resource_version: revision.to_string(), media_type, ..ListChunk::default() };
    let tail = ListChunk { continue_token: continue_token.clone(), remaining, ..ListChunk::default() };
    if let Form::Table(_) = accept.form {
        let page = render::list::Page {
            kind: &kind,
            items: &items,
            revision,
            continue_token: &continue_token,
            remaining,
            bare: false,
        };
        let table = page.render(accept, Timestamp::now())?;
        let chunk = ListChunk { items: vec![table], continue_token, remaining, ..head };
        return Ok(stream::iter([Ok(chunk)]).boxed());
    }
    let now = Timestamp::now();
    let middle = stream::iter(split(&items)).map(move |part| chunk(&kind, &part, accept, now).map_err(failed));
    Ok(stream::iter([Ok(head)]).chain(middle).chain(stream::iter([Ok(tail)])).boxed())
}

fn split(items: &[Arc<Item>]) -> Vec<Vec<Arc<Item>>> {
    let mut parts = Vec::new();
    let (mut part, mut bytes) = (Vec::new(), 0);
    for item in items {
        bytes += item.json().len();
        part.push(item.clone());
        if bytes >= BYTES || part.len() == ITEMS {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

fn chunk(kind: &Served, items: &[Arc<Item>], accept: Accept, now: Timestamp) -> Result<ListChunk, Status> {
    let items: Result<Vec<_>, Status> = items.iter().map(|item| render::item(kind, item, accept, now)).collect();
    Ok(ListChunk { items: items?, ..ListChunk::default() })
}
