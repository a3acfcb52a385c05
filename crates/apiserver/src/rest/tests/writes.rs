use http::Method;

use super::Rest;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn an_object_is_made_read_patched_and_removed() {
    let rest = Rest::start().await;
    let made = rest.post(MAPS, r#"{"metadata":{"name":"a"},"data":{"k":"v"}}"#).await;
    assert_eq!(made.code, 201);
    assert_eq!(made.json()["kind"], "ConfigMap");
    let one = format!("{MAPS}/a");
    assert_eq!(rest.get(&one, "*/*").await.json()["data"]["k"], "v");
    let patch = [("content-type", "application/merge-patch+json")];
    let patched = rest.send(Method::PATCH, &one, &patch, r#"{"data":{"k":"w"}}"#).await;
    assert_eq!(
        (patched.code.as_u16(), patched.json()["data"]["k"].as_str().map(String::from)),
        (200, Some("w".into()))
    );
    let gone = rest.send(Method::DELETE, &one, &[], "").await;
    assert_eq!((gone.code.as_u16(), gone.json()["status"].as_str().map(String::from)), (200, Some("Success".into())));
    let missing = rest.get(&one, "").await;
    assert_eq!(missing.code, 404);
    assert_eq!(missing.json()["message"], r#"configmaps "a" not found"#);
}

#[tokio::test]
async fn unknown_fields_are_told_in_a_warning() {
    let rest = Rest::start().await;
    let made = rest.post(MAPS, r#"{"metadata":{"name":"a"},"novel":1}"#).await;
    assert_eq!(made.code, 201);
    assert_eq!(made.header("warning"), r#"299 - "unknown field \"novel\"""#);
    let strict = rest.post(&format!("{MAPS}?fieldValidation=Strict"), r#"{"metadata":{"name":"b"},"novel":1}"#).await;
    assert_eq!(strict.code, 400);
}

#[tokio::test]
async fn a_dry_run_leaves_nothing() {
    let rest = Rest::start().await;
    let made = rest.post(&format!("{MAPS}?dryRun=All"), r#"{"metadata":{"name":"a"}}"#).await;
    assert_eq!(made.code, 201);
    assert_eq!(rest.get(&format!("{MAPS}/a"), "").await.code, 404);
    assert_eq!(rest.post(&format!("{MAPS}?dryRun=Some"), "{}").await.code, 422);
}

#[tokio::test]
async fn bodies_that_cannot_be_taken_are_refused() {
    let rest = Rest::start().await;
    let media = rest.send(Method::POST, MAPS, &[("content-type", "text/plain")], "x").await;
    assert_eq!(media.code, 415);
    assert_eq!(media.json()["reason"], "UnsupportedMediaType");
    let long = "x".repeat(super::super::body::LIMIT + 1);
    assert_eq!(rest.post(MAPS, &long).await.json()["reason"], "RequestEntityTooLarge");
    assert_eq!(rest.post(MAPS, "{").await.code, 400);
}

#[tokio::test]
async fn credentials_that_nobody_knows_are_refused() {
    let rest = Rest::start().await;
    let refused = rest.send(Method::GET, MAPS, &[("authorization", "Bearer nonsense")], "").await;
    assert_eq!(refused.code, 401);
    assert_eq!(refused.json()["reason"], "Unauthorized");
}
