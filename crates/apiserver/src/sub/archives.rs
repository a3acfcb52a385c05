//! `archives` of a node: what this server hands to it of [`crate::archives`]. Ours alone; upstream has no
//! such subresource. Without the parameter `digest` a JSON list, with it the bytes of that archive.
//!
//! The Node authorizer lets a kubelet read those of its own node.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use nakhoda_api::{GroupResource, Status};
use serde_json::json;
use tokio_util::io::ReaderStream;

use super::Handler;
use crate::archives::Archives as Folder;
use crate::request::{Action, Connect};
use crate::response::{Answer, Response, Streaming};
use crate::verb::Call;

/// Bytes that are sent at once.
const PIECE: usize = 256 << 10;

/// Hands archives out.
pub struct Archives;

enum Found {
    List(Bytes),
    File(File),
}

// === impl Archives ===

impl Handler for Archives {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("archives")) };
            if connect.method != "get" {
                return Err(call.unsupported(&connect.method));
            }
            let folder = call.pipeline.extension::<Arc<Folder>>().cloned();
            let folder = folder.ok_or_else(|| Status::unavailable("this server hands out no images", 0))?;
            let found = tokio::task::spawn_blocking(move || find(&folder, &connect)).await;
            let found = found.map_err(|e| Status::internal(&e))??;
            Ok(Response::new(Answer::Stream(Streaming::Read(match found {
                Found::List(text) => Box::pin(futures::stream::once(std::future::ready(Ok(text)))),
                Found::File(file) => {
                    let pieces = ReaderStream::with_capacity(tokio::fs::File::from_std(file), PIECE);
                    Box::pin(pieces.map(|piece| piece.map_err(|e| Status::internal(&e))))
                }
            }))))
        })
    }
}

fn find(folder: &Folder, connect: &Connect) -> Result<Found, Status> {
    let unread = |e: std::io::Error| Status::internal(&e);
    match connect.get("digest") {
        "" => {
            let list = json!({"archives": folder.list().map_err(unread)?});
            Ok(Found::List(Bytes::from(list.to_string())))
        }
        digest => match folder.open(digest).map_err(unread)? {
            Some(file) => Ok(Found::File(file)),
            None => Err(Status::not_found(&GroupResource::new("", "archives"), digest)),
        },
    }
}
