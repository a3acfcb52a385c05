use nakhoda_store::Store;
use serde_json::json;

use crate::request::ListOptions;
use crate::response::Answer;
use crate::testing::Server;

async fn config_maps(count: usize) -> Server {
    let server = Server::start().await;
    for n in 0..count {
        let object = json!({"metadata": {"name": format!("m{n}"), "labels": {"even": (n % 2 == 0).to_string()}}});
        server.create("configmaps", "default", &object).await.expect("made");
    }
    server
}

fn page(limit: i64, continue_token: &str) -> ListOptions {
    ListOptions { limit, continue_token: continue_token.into(), ..ListOptions::default() }
}

#[tokio::test]
async fn selectors_choose() {
    let server = config_maps(4).await;
    let labels = ListOptions { labels: "even=true".into(), ..ListOptions::default() };
    assert_eq!(server.names("configmaps", "default", labels).await.expect("a list"), ["m0", "m2"]);
    let fields = ListOptions { fields: "metadata.name!=m1".into(), ..ListOptions::default() };
    assert_eq!(server.names("configmaps", "", fields).await.expect("a list"), ["m0", "m2", "m3"]);
    let one = ListOptions { fields: "metadata.name=m1".into(), ..ListOptions::default() };
    assert_eq!(server.names("configmaps", "", one).await.expect("a list"), ["m1"]);
    let unknown = ListOptions { fields: "data.k=v".into(), ..ListOptions::default() };
    let refused = server.names("configmaps", "default", unknown).await.expect_err("refused");
    assert_eq!(
        refused.message,
        "\"data.k\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    );
}

#[tokio::test]
async fn pages_of_a_list_share_one_revision() {
    let server = config_maps(5).await;
    let Answer::List { items, revision, continue_token, remaining, .. } =
        server.list("configmaps", "default", page(2, "")).await.expect("a page").answer
    else {
        panic!("a list answers with a list")
    };
    assert_eq!((items.len(), remaining), (2, Some(3)));
    server.create("configmaps", "default", &json!({"metadata": {"name": "m9"}})).await.expect("made");
    let Answer::List { items, revision: second, continue_token, .. } =
        server.list("configmaps", "default", page(10, &continue_token)).await.expect("the rest").answer
    else {
        panic!("a list answers with a list")
    };
    assert_eq!((items.len(), second, continue_token.as_str()), (3, revision, ""));
}

#[tokio::test]
async fn a_token_whose_history_is_gone_offers_another() {
    let server = config_maps(3).await;
    let Answer::List { continue_token, .. } =
        server.list("configmaps", "default", page(1, "")).await.expect("a page").answer
    else {
        panic!("a list answers with a list")
    };
    let mut old = crate::verb::token::Token::decode(&continue_token).expect("a token");
    old.revision = Some(1);
    let newest = server.store.revision().await.expect("a revision");
    server.store.compact(newest).await.expect("compacted");
    let gone = server.list("configmaps", "default", page(1, &old.encode())).await.err().expect("gone");
    assert_eq!((gone.code, gone.reason), (410, Some(nakhoda_api::Reason::Expired)));
    let rest = server.names("configmaps", "default", page(0, &gone.metadata.continue_)).await.expect("the rest");
    assert_eq!(rest, ["m1", "m2"]);
}

#[tokio::test]
async fn a_read_after_a_write_sees_it() {
    let server = Server::start().await;
    for n in 0..50 {
        let name = format!("m{n}");
        server.create("configmaps", "default", &json!({"metadata": {"name": name}})).await.expect("made");
        assert_eq!(server.names("configmaps", "default", ListOptions::default()).await.expect("a list").len(), n + 1);
        server.get("configmaps", "default", &name).await.expect("there");
    }
}

#[tokio::test]
async fn a_revision_that_has_not_come_is_told() {
    let server = config_maps(1).await;
    let options = ListOptions { resource_version: "1000000".into(), ..ListOptions::default() };
    let refused = server.list("configmaps", "default", options).await.err().expect("refused");
    assert_eq!(refused.code, 504);
    assert!(refused.message.starts_with("Too large resource version: 1000000, current: "), "{refused}");
}

#[tokio::test]
async fn an_exact_match_needs_a_revision() {
    let server = config_maps(1).await;
    let options = ListOptions { resource_version_match: "Exact".into(), ..ListOptions::default() };
    let refused = server.list("configmaps", "default", options).await.err().expect("refused");
    assert!(
        refused.message.contains("resourceVersionMatch is forbidden unless resourceVersion is provided"),
        "{refused}"
    );
}
