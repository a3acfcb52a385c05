use axum::body::Body;
use http::Method;
use http::request::Parts;
use nakhoda_api::Status;
use nakhoda_api::wire::Media;

use super::action::action;
use super::is_stream;
use crate::request::{Action, Body as Content};
use crate::rest::path::{Located, Route};
use crate::rest::query::Query;

fn located(path: &str) -> Located {
    match Route::parse(path) {
        Route::Resource(located) => located,
        other => panic!("{path}: {other:?}"),
    }
}

async fn read(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Action, Status> {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()): (Parts, ()) = request.body(()).expect("valid").into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let located = located(parts.uri.path());
    action(&parts, &mut Body::from(body.to_owned()), &located, &query, false).await
}

#[tokio::test]
async fn methods_and_names_decide_the_verb() {
    let verb = async |method: Method, path: &str| match read(method, path, &[], "{}").await {
        Ok(Action::Get { .. }) => "get",
        Ok(Action::List(_)) => "list",
        Ok(Action::Watch(_)) => "watch",
        Ok(Action::Create(_)) => "create",
        Ok(Action::Update(_)) => "update",
        Ok(Action::Delete(_)) => "delete",
        Ok(Action::DeleteCollection(..)) => "deletecollection",
        Ok(_) => "other",
        Err(status) if status.code == 405 => "405",
        Err(_) => "error",
    };
    let (one, all) = ("/api/v1/namespaces/a/pods/b", "/api/v1/namespaces/a/pods");
    assert_eq!(verb(Method::GET, one).await, "get");
    assert_eq!(verb(Method::GET, all).await, "list");
    assert_eq!(verb(Method::GET, "/api/v1/pods?watch=true").await, "watch");
    assert_eq!(verb(Method::GET, "/api/v1/watch/namespaces/a/pods/b").await, "watch");
    assert_eq!(verb(Method::POST, all).await, "create");
    assert_eq!(verb(Method::POST, one).await, "405");
    assert_eq!(verb(Method::PUT, one).await, "update");
    assert_eq!(verb(Method::PUT, all).await, "405");
    assert_eq!(verb(Method::DELETE, one).await, "delete");
    assert_eq!(verb(Method::DELETE, all).await, "deletecollection");
    assert_eq!(verb(Method::OPTIONS, one).await, "405");
}

#[tokio::test]
async fn the_old_watch_of_one_object_selects_it_by_name() {
    let action = read(Method::GET, "/api/v1/watch/namespaces/a/pods/b", &[], "").await.expect("valid");
    let Action::Watch(options) = action else { panic!("not a watch") };
    assert_eq!(options.list.fields, "metadata.name=b");
}

#[tokio::test]
async fn delete_options_come_from_the_body_or_from_the_query() {
    let path = "/api/v1/namespaces/a/pods/b";
    let query = format!("{path}?gracePeriodSeconds=0&propagationPolicy=Orphan");
    let Ok(Action::Delete(deletion)) = read(Method::DELETE, &query, &[], "").await else { panic!("not a delete") };
    let Some(Content::Object(options)) = deletion.body else { panic!("no options") };
    assert_eq!(options.at(&["gracePeriodSeconds"]), Some(&0.into()));
    let Ok(Action::Delete(deletion)) = read(Method::DELETE, path, &[], "{}").await else { panic!("not a delete") };
    assert!(matches!(deletion.body, Some(Content::Bytes { media: Media::Json, .. })));
    let Ok(Action::Delete(deletion)) = read(Method::DELETE, path, &[], "").await else { panic!("not a delete") };
    assert!(deletion.body.is_none());
}

#[tokio::test]
async fn a_patch_needs_a_media_type_that_names_its_kind() {
    let path = "/api/v1/namespaces/a/pods/b";
    let patch = async |kind: &str, query: &str| {
        read(Method::PATCH, &format!("{path}{query}"), &[("content-type", kind)], "{}")
            .await
            .map(drop)
            .map_err(|s| s.code)
    };
    assert_eq!(patch("application/merge-patch+json", "").await, Ok(()));
    assert_eq!(patch("application/json", "").await, Err(415));
    assert_eq!(patch("application/apply-patch+yaml", "").await, Err(422));
    assert_eq!(patch("application/apply-patch+yaml", "?fieldManager=me&force=true").await, Ok(()));
    assert_eq!(patch("application/merge-patch+json", "?force=true").await, Err(422));
}

#[test]
fn streams_are_known_by_resource_and_subresource() {
    for path in ["/api/v1/namespaces/a/pods/b/exec", "/api/v1/nodes/n/proxy/x", "/api/v1/namespaces/a/services/s/proxy"]
    {
        assert!(is_stream(&located(path)), "{path}");
    }
    for path in
        ["/api/v1/namespaces/a/pods/b/status", "/apis/x/v1/namespaces/a/pods/b/exec", "/api/v1/namespaces/a/pods/b"]
    {
        assert!(!is_stream(&located(path)), "{path}");
    }
}
