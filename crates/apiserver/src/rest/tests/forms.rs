use super::Rest;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn filled() -> Rest {
    let rest = Rest::start().await;
    for name in ["a", "b", "c"] {
        let body = format!(r#"{{"metadata":{{"name":"{name}","labels":{{"n":"{name}"}}}},"data":{{"k":"v"}}}}"#);
        assert_eq!(rest.post(MAPS, &body).await.code, 201);
    }
    rest
}

#[tokio::test]
async fn a_list_has_one_revision_and_goes_on_with_a_token() {
    let rest = filled().await;
    let first = rest.get(&format!("{MAPS}?limit=2"), "").await.json();
    assert_eq!((first["kind"].as_str(), first["items"].as_array().map(Vec::len)), (Some("ConfigMapList"), Some(2)));
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    let token = first["metadata"]["continue"].as_str().expect("a token").replace('+', "%2B");
    let second = rest.get(&format!("{MAPS}?limit=2&continue={token}"), "").await.json();
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(second["items"][0]["metadata"]["name"], "c");
    let chosen = rest.get(&format!("{MAPS}?labelSelector=n+in+(a,b)"), "").await.json();
    assert_eq!(chosen["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn kubectl_gets_a_table_with_metadata_in_its_rows() {
    let rest = filled().await;
    let table = rest.get(MAPS, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json").await.json();
    assert_eq!((table["kind"].as_str(), table["apiVersion"].as_str()), (Some("Table"), Some("meta.k8s.io/v1")));
    assert_eq!(table["columnDefinitions"][0]["name"], "Name");
    assert_eq!(table["rows"][0]["cells"][0], "a");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let bare = rest.get(&format!("{MAPS}/a?includeObject=None"), "application/json;as=Table;v=v1;g=meta.k8s.io").await;
    assert!(bare.json()["rows"][0]["object"].is_null());
}

#[tokio::test]
async fn metadata_alone_can_be_had() {
    let rest = filled().await;
    let list = rest.get(MAPS, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").await.json();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][1]["metadata"]["name"], "b");
    assert!(list["items"][1].get("data").is_none());
}

#[tokio::test]
async fn yaml_is_written_and_read() {
    let rest = filled().await;
    let yaml = rest.get(&format!("{MAPS}/a"), "application/yaml").await;
    assert_eq!(yaml.header("content-type"), "application/yaml");
    assert!(String::from_utf8_lossy(&yaml.body).contains("kind: ConfigMap"));
}

#[tokio::test]
async fn protobuf_is_an_envelope() {
    let rest = filled().await;
    for path in [MAPS.to_owned(), format!("{MAPS}/a")] {
        let answered = rest.get(&path, "application/vnd.kubernetes.protobuf,application/json").await;
        assert_eq!(answered.code, 200);
        assert_eq!(answered.header("content-type"), "application/vnd.kubernetes.protobuf");
        assert!(answered.body.starts_with(b"k8s\0"));
    }
}

#[tokio::test]
async fn forms_that_nobody_makes_are_refused() {
    let rest = filled().await;
    let refused = rest.get(MAPS, "text/html").await;
    assert_eq!((refused.code.as_u16(), refused.json()["reason"].as_str()), (406, Some("NotAcceptable")));
    let unknown = rest.get("/api/v1/namespaces/default/novelties", "").await;
    assert_eq!(unknown.code, 404);
    assert_eq!(unknown.json()["message"], "the server could not find the requested resource");
}

#[tokio::test]
async fn people_get_lines_and_everyone_an_audit_id() {
    let rest = filled().await;
    let answered = rest.get(&format!("{MAPS}/a?pretty=true"), "").await;
    assert!(answered.body.starts_with(b"{\n  \""));
    assert_eq!(answered.header("audit-id").len(), 36);
    assert_eq!(answered.header("cache-control"), "no-cache, private");
}

#[tokio::test]
async fn what_has_no_metadata_makes_no_table() {
    let rest = Rest::start().await;
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let headers = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io"), ("content-type", "application/json")];
    let refused = rest.send(http::Method::POST, path, &headers, "{}").await;
    assert_eq!((refused.code.as_u16(), refused.json()["reason"].as_str()), (406, Some("NotAcceptable")));
}
