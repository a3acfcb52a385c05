//! Requests for resources: HTTP to a [`Request`], and the [`Answer`] back to HTTP.

mod action;

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use jiff::Timestamp;
use nakhoda_api::{Object, Reason, Status};

use crate::audit::{Level, Trail};
use crate::kind::Served;
use crate::pipeline::flow::Slot;
use crate::render::{self, list::chunks::Listed};
use crate::request::{Accept, Action, Connect, Form, Request, Target};
use crate::response::Answer;
use crate::rest::path::Located;
use crate::rest::reply::{self, Asked};
use crate::rest::{Front, body as content, caller, negotiate, streaming, watch};
use crate::serve::Peer;
use crate::verb::notes::Notes;

/// Subresources of the core group that open a stream.
const STREAMS: &[(&str, &[&str])] = &[
    ("namespaces", &["etcd"]),
    ("nodes", &["archives", "images", "proxy"]),
    ("pods", &["attach", "exec", "log", "portforward", "proxy"]),
    ("services", &["proxy"]),
];

/// Answers one request, failures too; whoever asks for a kind that is on its way out is warned in any case.
pub async fn answer(front: &Front, parts: Parts, body: Body, located: Located, asked: &Asked) -> Response<Body> {
    let kind = front.pipeline.kinds().get(&located.target.gvr);
    let nowhere = kind.is_none() && !front.pipeline.kinds().is_built_in(&located.target.gvr.group);
    let (flow, notes) = (Slot::default(), Arc::<Notes>::default());
    let answered = serve(front, parts, body, located, asked, (&flow, &notes)).await;
    let mut response = match answered {
        // where no group is built in upstream's servers hand on to each other, and the last has no words
        Err(status) if nowhere && status.code == 404 => reply::no_page(),
        answered => answered.unwrap_or_else(|status| reply::failure(&status, asked)),
    };
    // what a success did not take
    reply::warn(response.headers_mut(), &notes.take());
    if let Some(classified) = flow.get() {
        reply::classify(response.headers_mut(), classified);
    }
    if let Some(warning) = kind.and_then(|kind| kind.info.deprecated) {
        reply::warn(response.headers_mut(), &[warning.to_owned()]);
    }
    response
}

async fn serve(
    front: &Front,
    parts: Parts,
    mut body: Body,
    located: Located,
    asked: &Asked,
    (flow, notes): (&Slot, &Arc<Notes>),
) -> Result<Response<Body>, Status> {
    let mut caller = caller::caller(&parts.headers, parts.extensions.get::<Peer>())?;
    caller.flow = Some(flow.clone());
    caller.notes = notes.clone();
    caller.origin.uri = reply::uri(&parts);
    let trail = caller.trail.clone();
    if is_stream(&located) {
        let action = Action::Connect(Connect {
            method: parts.method.as_str().to_ascii_lowercase(),
            parameters: asked.query.clone().into_pairs(),
            plain: !streaming::upgrades(&parts),
        });
        let request = Request { target: Target::Resource(located.target), action, caller, accept: Accept::default() };
        let response = front.pipeline.call(request).await?;
        let Answer::Stream(opened) = response.answer else {
            return Err(Status::failure(500, Reason::InternalError, "the stream was not opened"));
        };
        let exchange = streaming::Exchange { parts, body };
        let reply = streaming::serve(front, exchange, opened, asked).await?;
        return Ok(if reply.status() == StatusCode::SWITCHING_PROTOCOLS {
            reply
        } else {
            reply.map(|body| hold(trail, body))
        });
    }
    let custom = !front.pipeline.kinds().is_built_in(&located.target.gvr.group);
    let action = match action::action(&parts, &mut body, &located, &asked.query, custom).await {
        Ok(action) => action,
        Err(status) => {
            content::drain(&mut body).await;
            // what is not there takes no method at all
            let there = serves(front, &located);
            return Err(if status.code == 405 && !there { Status::no_such_path() } else { status });
        }
    };
    if !matches!(action, Action::Watch(_)) {
        asked.query.timeout()?;
    }
    let accepts = match &action {
        Action::Watch(_) => negotiate::stream_forms(&asked.accept, &asked.query, &asked.agent)?,
        _ => negotiate::forms(&asked.accept, &asked.query, &asked.agent)?,
    };
    let mut target = located.target;
    let follows = matches!(action, Action::Watch(_));
    if follows {
        target.name.clear();
    }
    let request = Request { target: Target::Resource(target), action, caller, accept: accepts[0] };
    let response = front.pipeline.call(request).await?;
    let mut reply = match response.answer {
        Answer::Watch { kind, watcher, timeout, bookmarks, gate } => {
            let accept = choose(&accepts, &kind)?;
            let following = watch::Following { kind, watcher, timeout, bookmarks, gate, accept };
            watch::serve(front, parts, following).await?.map(|body| hold(trail, body))
        }
        Answer::Status(status) if follows => watch::refuse(parts, &status, accepts[0]).await?,
        answer => answer_once(answer, &accepts, asked).await?,
    };
    reply::warn(reply.headers_mut(), &response.warnings);
    Ok(reply)
}

fn serves(front: &Front, located: &Located) -> bool {
    let sub = located.target.subresource.as_str();
    front.pipeline.kinds().get(&located.target.gvr).is_some_and(|kind| sub.is_empty() || kind.info.sub(sub).is_some())
}

/// A body that keeps the request open in the audit log until it is sent.
fn hold(trail: Trail, body: Body) -> Body {
    if trail.level() == Level::None {
        return body;
    }
    Body::from_stream(trail.hold_stream(body.into_data_stream()))
}

async fn answer_once(answer: Answer, accepts: &[Accept], asked: &Asked) -> Result<Response<Body>, Status> {
    let now = Timestamp::now();
    let (code, accept, body) = match answer {
        Answer::Item { kind, item } => {
            let accept = choose(accepts, &kind)?;
            (StatusCode::OK, accept, render::item(&kind, &item, accept, now)?)
        }
        Answer::Created { kind, item } => {
            let accept = choose(accepts, &kind)?;
            (StatusCode::CREATED, accept, render::item(&kind, &item, accept, now)?)
        }
        Answer::List { kind, items, revision, continue_token, remaining } => {
            let accept = choose(accepts, &kind)?;
            let listed = Listed { kind, items, revision, continue_token, remaining };
            if listed.is_long(accept) {
                return Ok(reply::chunked(listed.chunks(accept, now)?, accept, asked));
            }
            (StatusCode::OK, accept, listed.page().render(accept, now)?)
        }
        Answer::Object { kind, object, created } => {
            let code = if created { StatusCode::CREATED } else { StatusCode::OK };
            let (accept, body) = render_object(kind.as_deref(), &object, accepts, now)?;
            (code, accept, body)
        }
        Answer::Status(status) => {
            let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::OK);
            (code, accepts[0], render::status(&status, accepts[0].media))
        }
        Answer::Watch { .. } | Answer::Stream(_) => {
            return Err(Status::failure(500, Reason::InternalError, "a stream where an object was expected"));
        }
    };
    Ok(reply::bytes(code, body, accept, asked).await)
}

/// An object that is not stored: as a table only where it is of the kind whose columns are known.
fn render_object(
    kind: Option<&Served>,
    object: &Object,
    accepts: &[Accept],
    now: Timestamp,
) -> Result<(Accept, Bytes), Status> {
    let json = Bytes::from(object.to_json());
    let gvk = object.gvk().unwrap_or_default();
    let reviewed = kind.is_some_and(|k| k.info.virtual_ && !k.info.verbs.contains(&"list"));
    let made = |accept: &Accept| render::speaks(&gvk, *accept) && !(reviewed && accept.form != Form::Object);
    let accept = accepts.iter().copied().find(made).ok_or_else(|| match kind.filter(|_| reviewed) {
        Some(kind) => untabled(kind),
        None => refused(),
    })?;
    if let (Form::Table(included), Some(kind), Some(items)) = (accept.form, kind, object.at(&["items"]))
        && kind.info.virtual_
    {
        return Ok((accept, render::table::many(kind, items, included, now)?));
    }
    match (accept.form, kind.filter(|k| k.info.gvk == gvk)) {
        (Form::Table(_), Some(kind)) => Ok((accept, render::table::one(kind, &json, accept, now)?)),
        (Form::Table(_), None) => Ok((accept, json)),
        (Form::Object | Form::Metadata, kind) => {
            let unshown = kind.map_or(&[][..], |kind| kind.info.unshown);
            Ok((accept, render::object(&gvk, &json, accept, unshown)?))
        }
    }
}

/// What is answered without being stored has neither columns nor metadata.
fn untabled(kind: &Served) -> Status {
    let resource = kind.info.gvr().group_resource();
    Status::not_acceptable(format!("the resource {resource} does not support being converted to a Table"))
}

/// The best form that the kind can be written in.
fn choose(accepts: &[Accept], kind: &Served) -> Result<Accept, Status> {
    accepts.iter().copied().find(|accept| render::speaks(&kind.info.gvk, *accept)).ok_or_else(refused)
}

fn refused() -> Status {
    Status::not_acceptable("only the following media types are accepted: application/json, application/yaml")
}

fn is_stream(located: &Located) -> bool {
    let target = &located.target;
    target.gvr.group.is_empty()
        && !target.name.is_empty()
        && STREAMS
            .iter()
            .any(|(resource, subs)| *resource == target.gvr.resource && subs.contains(&target.subresource.as_str()))
}

#[cfg(test)]
mod tests;
