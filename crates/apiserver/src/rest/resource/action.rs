//! What a method, a path, a query and a body ask for.

use axum::body::Body;
use http::Method;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use nakhoda_api::patch::PatchKind;
use nakhoda_api::status::Details;
use nakhoda_api::{Object, Status};
use serde_json::Value;

use crate::request::{Action, Body as Content, Deletion, ListOptions, PatchWrite, WatchOptions, Write};
use crate::rest::path::Located;
use crate::rest::query::Query;
use crate::rest::{body, caller, negotiate};
use crate::verb::patch::unknown_to_custom;

/// The verb with its options; reads the body where there is one.
pub(super) async fn action(
    parts: &Parts,
    content: &mut Body,
    located: &Located,
    query: &Query,
    custom: bool,
) -> Result<Action, Status> {
    let target = &located.target;
    match parts.method {
        Method::GET | Method::HEAD if located.watch => Ok(Action::Watch(old_watch(located, query)?)),
        Method::GET | Method::HEAD if query.has("export") && query.flag("export") => {
            Err(Status::bad_request("the export parameter, deprecated since v1.14, is no longer supported"))
        }
        Method::GET | Method::HEAD if !target.name.is_empty() => {
            Ok(Action::Get { resource_version: query.get("resourceVersion").into() })
        }
        Method::GET | Method::HEAD if query.flag("watch") => Ok(Action::Watch(query.watch()?)),
        Method::GET | Method::HEAD => Ok(Action::List(query.list()?)),
        Method::POST if target.name.is_empty() || !target.subresource.is_empty() => Ok(Action::Create(Write {
            options: query.write("CreateOptions")?,
            body: content_of(parts, content).await?,
        })),
        Method::PUT if !target.name.is_empty() => Ok(Action::Update(Write {
            options: query.write("UpdateOptions")?,
            body: content_of(parts, content).await?,
        })),
        Method::PATCH if !target.name.is_empty() => patch(parts, content, query, custom).await,
        Method::DELETE => delete(parts, content, target.name.is_empty(), query).await,
        _ => Err(Status::method_not_allowed()),
    }
}

/// `/watch/…/name` follows one object.
fn old_watch(located: &Located, query: &Query) -> Result<WatchOptions, Status> {
    let mut options = query.watch()?;
    if !located.target.name.is_empty() {
        options.list.fields = format!("metadata.name={}", located.target.name);
    }
    Ok(options)
}

async fn content_of(parts: &Parts, content: &mut Body) -> Result<Content, Status> {
    let media = negotiate::content_type(caller::text(&parts.headers, CONTENT_TYPE.as_str()))?;
    Ok(Content::Bytes { media, bytes: body::read(content).await? })
}

async fn patch(parts: &Parts, content: &mut Body, query: &Query, custom: bool) -> Result<Action, Status> {
    let kind = PatchKind::parse(caller::text(&parts.headers, CONTENT_TYPE.as_str())).ok_or_else(|| match custom {
        true => unknown_to_custom(),
        false => Status::unsupported_media_type("415: Unsupported Media Type").with_details(Details::default()),
    })?;
    let options = query.write("PatchOptions")?;
    let mut errors = nakhoda_api::field::Errors::default();
    let field = nakhoda_api::field::Path::new;
    match kind {
        PatchKind::Apply if options.field_manager.is_empty() => {
            errors.required(&field("fieldManager"), "is required for apply patch");
        }
        PatchKind::Json | PatchKind::Merge | PatchKind::Strategic if query.has("force") => {
            errors.forbidden(&field("force"), "may not be specified for non-apply patch");
        }
        _ => {}
    }
    if !errors.is_empty() {
        let kind = nakhoda_api::GroupKind { group: "meta.k8s.io".into(), kind: "PatchOptions".into() };
        return Err(Status::invalid(&kind, "", &errors));
    }
    Ok(Action::Patch(PatchWrite { kind, bytes: body::read(content).await?, force: query.flag("force"), options }))
}

async fn delete(parts: &Parts, content: &mut Body, collection: bool, query: &Query) -> Result<Action, Status> {
    let bytes = body::read(content).await?;
    let body = if bytes.is_empty() {
        delete_options(query)?
    } else {
        let media = negotiate::content_type(caller::text(&parts.headers, CONTENT_TYPE.as_str()))?;
        Some(Content::Bytes { media, bytes })
    };
    let deletion = Deletion { body, options: query.write("DeleteOptions")? };
    let list: ListOptions = query.list()?;
    Ok(if collection { Action::DeleteCollection(deletion, list) } else { Action::Delete(deletion) })
}

/// DeleteOptions in the query, for clients that send no body.
fn delete_options(query: &Query) -> Result<Option<Content>, Status> {
    let mut object = Object::default();
    if let Some(seconds) = query.number("gracePeriodSeconds")? {
        object.set_at(&["gracePeriodSeconds"], seconds.into());
    }
    if query.has("propagationPolicy") {
        object.set_at(&["propagationPolicy"], query.get("propagationPolicy").into());
    }
    if query.has("orphanDependents") {
        object.set_at(&["orphanDependents"], query.flag("orphanDependents").into());
    }
    if object.root().is_empty() {
        return Ok(None);
    }
    object.set_at(&["kind"], Value::from("DeleteOptions"));
    object.set_at(&["apiVersion"], Value::from("v1"));
    Ok(Some(Content::Object(Box::new(object))))
}
