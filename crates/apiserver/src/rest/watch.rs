//! Watches over HTTP: a body that goes on, or a websocket with one message for each event.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt};
use http::request::Parts;
use http::{Response, StatusCode};
use jiff::Timestamp;
use nakhoda_api::Status;
use nakhoda_api::wire::Media;
use nakhoda_store::cache::{Ended, Notice, WatchItem, Watcher};
use nakhoda_streams::websocket;
use tokio_util::sync::CancellationToken;

use crate::kind::Served;
use crate::render::{self, event};
use crate::request::{Accept, Form};
use crate::rest::{Front, reply};
use crate::verb::gate::{self, Gate};
use crate::verb::watch::too_old;

/// Frames that are ready together are sent together, up to about so many bytes.
const CHUNK: usize = 64 << 10;

/// A collection that is followed, and how its events are written.
pub struct Following {
    /// The kind of its objects.
    pub kind: Arc<Served>,
    /// The events.
    pub watcher: Watcher,
    /// Ends the stream.
    pub timeout: Duration,
    /// Whether bookmarks are sent on.
    pub bookmarks: bool,
    /// What lets through only some of the events.
    pub gate: Option<Box<Gate>>,
    /// The form of the objects.
    pub accept: Accept,
}

/// Answers a watch.
pub async fn serve(front: &Front, mut parts: Parts, following: Following) -> Result<Response<Body>, Status> {
    let (stop, media) = (front.tasks.token(), following.accept.media);
    stream(&mut parts, media, frames(following, stop)).await
}

/// Answers a watch that cannot begin where it should: with one event that says why.
pub async fn refuse(mut parts: Parts, status: &Status, accept: Accept) -> Result<Response<Body>, Status> {
    let frame = event::failure(status, accept.media);
    stream(&mut parts, accept.media, futures::stream::iter([frame])).await
}

async fn stream(
    parts: &mut Parts,
    media: Media,
    frames: impl Stream<Item = Bytes> + Send + 'static,
) -> Result<Response<Body>, Status> {
    if websocket::is_asked(&parts.headers) {
        let upgrade =
            WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|e| Status::bad_request(e.body_text()))?;
        return Ok(upgrade.on_upgrade(move |socket| send(socket, frames, media == Media::Json)));
    }
    let content_type = match media {
        Media::Json | Media::Yaml => "application/json".to_owned(),
        Media::Protobuf => format!("{};stream=watch", Media::Protobuf.mime()),
    };
    let chunks = batches(frames).map(Ok::<_, std::convert::Infallible>);
    Ok(reply::plain(StatusCode::OK, &content_type, Body::from_stream(chunks)))
}

/// The frames of a watch, until it ends, its time is over, or the server stops.
fn frames(following: Following, stop: CancellationToken) -> impl Stream<Item = Bytes> + Send {
    let Following { kind, watcher, timeout, bookmarks, gate, accept } = following;
    let over = async move {
        tokio::select! {
            () = tokio::time::sleep(timeout) => {}
            () = stop.cancelled() => {}
        }
    };
    let mut first = true;
    gate::settled(kind.clone(), watcher.take_until(over), gate).filter_map(move |(next, settled)| {
        if let Err(status) = settled {
            return std::future::ready(Some(event::failure(&status, accept.media)));
        }
        let frame = match next {
            Ok(WatchItem::Notice(notice)) => {
                let heads = std::mem::take(&mut first);
                notice_frame(&kind, &notice, accept, heads)
            }
            Ok(WatchItem::Bookmark { revision, initial_events_end }) if bookmarks || initial_events_end => {
                event::bookmark(&kind, revision, initial_events_end, accept)
                    .map(|object| event::frame(event::BOOKMARK, &object, accept.media))
            }
            Ok(WatchItem::Bookmark { .. }) => return std::future::ready(None),
            // the client begins again where it was, and needs no reason
            Err(Ended::Overflow) => return std::future::ready(None),
            Err(Ended::Expired { requested, oldest }) => Err(too_old(requested, oldest)),
            Err(Ended::Stopped) => Err(Status::expired("the resource is served no more")),
        };
        std::future::ready(Some(frame.unwrap_or_else(|status| event::failure(&status, accept.media))))
    })
}

fn notice_frame(kind: &Served, notice: &Notice, accept: Accept, first: bool) -> Result<Bytes, Status> {
    let make = |notice: &Notice| {
        let object = event::object(kind, &notice.item, accept, Timestamp::now(), first)?;
        Ok(event::frame(notice.kind.as_str(), &object, accept.media))
    };
    match (accept.form, render::slot(kind, accept)) {
        (Form::Object | Form::Metadata, Some(slot)) => notice.frame(slot, make),
        _ => make(notice),
    }
}

/// Joins what is ready at once.
fn batches(frames: impl Stream<Item = Bytes> + Send) -> impl Stream<Item = Bytes> + Send {
    let state = (Box::pin(frames), VecDeque::<Bytes>::new());
    futures::stream::unfold(state, |(mut frames, mut ready)| async move {
        ready.push_back(frames.next().await?);
        let mut length = ready[0].len();
        while length < CHUNK {
            let Some(Some(frame)) = frames.next().now_or_never() else { break };
            length += frame.len();
            ready.push_back(frame);
        }
        if let (1, Some(only)) = (ready.len(), ready.front()) {
            let only = only.clone();
            ready.clear();
            return Some((only, (frames, ready)));
        }
        let mut chunk = BytesMut::with_capacity(length);
        ready.drain(..).for_each(|frame| chunk.extend_from_slice(&frame));
        Some((chunk.freeze(), (frames, ready)))
    })
}

async fn send(mut socket: WebSocket, frames: impl Stream<Item = Bytes> + Send, text: bool) {
    let mut frames = Box::pin(frames);
    loop {
        tokio::select! {
            frame = frames.next() => {
                let Some(frame) = frame else { break };
                let message = match String::from_utf8(frame.to_vec()) {
                    Ok(line) if text => Message::text(line),
                    _ => Message::binary(frame),
                };
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            // answers pings, and tells when the client goes
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
    websocket::close(socket).await;
}
