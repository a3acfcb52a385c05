use futures::StreamExt;
use nakhoda_daemon::health::Health;
use nakhoda_rpc::status::from_tonic;
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::resources_client::ResourcesClient;
use nakhoda_rpc::v1::watch_event::Type;
use serde_json::{Value, json};
use tonic::service::Routes;

use super::{Front, routes};
use crate::testing::Server;

/// A client that calls the services without a connection between.
async fn client(server: &Server) -> ResourcesClient<Routes> {
    let front = Front { pipeline: server.pipeline.clone(), tasks: server.tasks.clone(), health: Health::default() };
    ResourcesClient::new(routes(front).expect("descriptors"))
}

fn target(resource: &str, name: &str) -> Option<v1::Target> {
    let group = if resource == "leases" { "coordination.k8s.io" } else { "" };
    Some(v1::Target {
        group: group.into(),
        version: "v1".into(),
        resource: resource.into(),
        namespace: "default".into(),
        name: name.into(),
        subresource: String::new(),
    })
}

fn object(value: &Value) -> Option<v1::Object> {
    Some(v1::Object { body: value.to_string().into(), ..v1::Object::default() })
}

fn create(name: &str, options: Option<v1::WriteOptions>) -> v1::CreateRequest {
    let value = json!({"metadata": {"name": name}, "data": {"k": "v"}});
    v1::CreateRequest { target: target("configmaps", ""), object: object(&value), options }
}

fn read(object: &v1::Object) -> Value {
    serde_json::from_slice(&object.body).expect("JSON")
}

#[tokio::test]
async fn an_object_is_made_read_changed_and_deleted() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let made = client.create(create("a", None)).await.expect("made").into_inner();
    assert!(made.created);
    let get = v1::GetRequest { target: target("configmaps", "a"), ..v1::GetRequest::default() };
    let found = client.get(get.clone()).await.expect("there").into_inner();
    assert_eq!(found.body, made.body);
    let patch = v1::Object {
        media_type: "application/merge-patch+json".into(),
        body: r#"{"data":{"k":"w"}}"#.into(),
        ..v1::Object::default()
    };
    let patch =
        v1::PatchRequest { target: target("configmaps", "a"), patch: Some(patch), ..v1::PatchRequest::default() };
    assert_eq!(read(client.patch(patch).await.expect("patched").get_ref())["data"]["k"], "w");
    let delete = v1::DeleteRequest { target: target("configmaps", "a"), ..v1::DeleteRequest::default() };
    assert_eq!(read(client.delete(delete).await.expect("deleted").get_ref())["status"], "Success");
    let gone = from_tonic(&client.get(get).await.expect_err("gone"));
    assert_eq!((gone.code, gone.message.as_str()), (404, "configmaps \"a\" not found"));
}

#[tokio::test]
async fn a_list_comes_in_chunks_at_one_revision() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    for name in ["a", "b", "c"] {
        client.create(create(name, None)).await.expect("made");
    }
    let list = v1::ListRequest { target: target("configmaps", ""), limit: 2, ..v1::ListRequest::default() };
    let chunks: Vec<v1::ListChunk> =
        client.list(list).await.expect("a list").into_inner().map(|chunk| chunk.expect("a chunk")).collect().await;
    assert!(!chunks[0].resource_version.is_empty());
    assert_eq!(chunks.iter().map(|chunk| chunk.items.len()).sum::<usize>(), 2);
    let last = chunks.last().expect("chunks");
    assert!(!last.continue_token.is_empty() && last.remaining == Some(1));
}

#[tokio::test]
async fn a_watch_tells_the_initial_state_its_end_and_changes() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    client.create(create("a", None)).await.expect("made");
    let watch = v1::WatchRequest {
        target: target("configmaps", ""),
        bookmarks: true,
        send_initial_events: true,
        ..v1::WatchRequest::default()
    };
    let batches = client.watch(watch).await.expect("a watch").into_inner();
    let mut events = batches.flat_map(|batch| futures::stream::iter(batch.expect("a batch").events));
    let first = events.next().await.expect("an event");
    assert_eq!(first.r#type(), Type::Added);
    let mark = events.next().await.expect("a bookmark");
    let mark_object: Value = serde_json::from_slice(&mark.object).expect("JSON");
    assert_eq!(mark.r#type(), Type::Bookmark);
    assert_eq!(mark_object["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    server.delete("configmaps", "default", "a", &json!({})).await.expect("deleted");
    assert_eq!(events.next().await.expect("an event").r#type(), Type::Deleted);
}

#[tokio::test]
async fn lists_and_watches_of_metadata_alone_carry_nothing_else() {
    const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let server = Server::start().await;
    let mut client = client(&server).await;
    client.create(create("a", None)).await.expect("made");
    let bare = |body: &[u8]| {
        let object: Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!((&object["kind"], &object["metadata"]["name"]), (&json!("PartialObjectMetadata"), &json!("a")));
        assert!(object["data"].is_null() && !object["metadata"]["uid"].is_null(), "{object}");
    };
    let get =
        v1::GetRequest { target: target("configmaps", "a"), accept: METADATA.into(), ..v1::GetRequest::default() };
    bare(&client.get(get).await.expect("found").get_ref().body);
    let list =
        v1::ListRequest { target: target("configmaps", ""), accept: METADATA.into(), ..v1::ListRequest::default() };
    let chunks: Vec<v1::ListChunk> =
        client.list(list).await.expect("a list").into_inner().map(|chunk| chunk.expect("a chunk")).collect().await;
    chunks.iter().flat_map(|chunk| &chunk.items).for_each(|item| bare(item));
    let watch = v1::WatchRequest {
        target: target("configmaps", ""),
        accept: METADATA.into(),
        bookmarks: true,
        send_initial_events: true,
        ..v1::WatchRequest::default()
    };
    let batches = client.watch(watch).await.expect("a watch").into_inner();
    let mut events = batches.flat_map(|batch| futures::stream::iter(batch.expect("a batch").events));
    bare(&events.next().await.expect("an event").object);
    let mark: Value = serde_json::from_slice(&events.next().await.expect("a bookmark").object).expect("JSON");
    assert_eq!(mark["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[tokio::test]
async fn a_fenced_write_is_refused_once_leadership_has_moved() {
    let server = Server::start().await;
    let mut client = client(&server).await;
    let lease = |holder: &str, transitions: i32| json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": holder, "leaseTransitions": transitions}});
    server.create("leases", "default", &lease("me", 1)).await.expect("made");
    let fence = v1::Fence { namespace: "default".into(), name: "l".into(), holder: "me".into(), transitions: 1 };
    let options = Some(v1::WriteOptions { fence: Some(fence), ..v1::WriteOptions::default() });
    client.create(create("a", options.clone())).await.expect("still the leader");
    let renewed = json!({"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}});
    server.patch("leases", "default", "l", &renewed).await.expect("renewed");
    client.create(create("b", options.clone())).await.expect("a renewal moves nothing");
    server.patch("leases", "default", "l", &lease("other", 2)).await.expect("taken over");
    let refused = from_tonic(&client.create(create("c", options)).await.expect_err("fenced"));
    assert_eq!((refused.code, refused.reason), (409, Some(nakhoda_api::Reason::Conflict)));
    assert!(refused.message.contains("the leadership that this write depends on has moved"), "{refused}");
}

#[tokio::test]
async fn discovery_names_every_resource() {
    let server = Server::start().await;
    let document = client(&server).await.discover(v1::DiscoverRequest {}).await.expect("a document").into_inner();
    let document = read(&document);
    assert_eq!(document["kind"], "APIGroupDiscoveryList");
    assert!(document.to_string().contains("\"configmaps\""));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::start().await;
    let mut request = create("a", None);
    let value = json!({"metadata": {"name": "a"}, "data": {"k": "v".repeat(super::convert::BODY_MAX)}});
    request.object = object(&value);
    let refused = from_tonic(&client(&server).await.create(request).await.expect_err("too large"));
    assert_eq!(refused.code, 413);
}
