//! What is asked by gRPC is told as what is asked by REST.

use nakhoda_daemon::health::Health;
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::resources_client::ResourcesClient;

use super::*;
use crate::grpc;

fn message(name: &str) -> tonic::Request<v1::CreateRequest> {
    let target = v1::Target {
        version: "v1".into(),
        resource: "configmaps".into(),
        namespace: "default".into(),
        ..v1::Target::default()
    };
    let body = json!({"metadata": {"name": name}}).to_string();
    let object = v1::Object { body: body.into(), ..v1::Object::default() };
    let mut request =
        tonic::Request::new(v1::CreateRequest { target: Some(target), object: Some(object), options: None });
    request.metadata_mut().insert("audit-id", "chosen".parse().expect("ASCII"));
    request.metadata_mut().insert("x-forwarded-for", "10.1.2.3".parse().expect("ASCII"));
    request
}

#[tokio::test]
async fn a_call_is_told_with_its_outcome() {
    let (server, kept) = server("- {level: Metadata, omitStages: [RequestReceived]}").await;
    let front =
        grpc::Front { pipeline: server.pipeline.clone(), tasks: server.tasks.clone(), health: Health::default() };
    let mut client = ResourcesClient::new(grpc::routes(front).expect("descriptors"));
    client.create(message("a")).await.expect("made");
    client.create(message("a")).await.expect_err("there already");
    let events = kept.take_all();
    let [made, refused] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (&made["verb"], &made["auditID"], &made["sourceIPs"]),
        (&json!("create"), &json!("chosen"), &json!(["10.1.2.3"]))
    );
    assert_eq!(made["requestURI"], "/api/v1/namespaces/default/configmaps");
    assert_eq!(made["objectRef"]["resource"], "configmaps");
    assert_eq!(made["annotations"]["authorization.k8s.io/decision"], "allow");
    assert_eq!((&made["responseStatus"]["code"], &refused["responseStatus"]["code"]), (&json!(201), &json!(409)));
    assert_eq!(refused["responseStatus"]["reason"], "AlreadyExists");
    assert!(made["requestObject"].is_null(), "the level tells no body");
}
