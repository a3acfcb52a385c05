//! A webhook behind TLS in this process.

use std::sync::atomic::{AtomicUsize, Ordering};

use nakhoda_daemon::Tasks;
use serde_json::Value;

use super::*;
use crate::testing::webhook::{Hook, kubeconfig, webhook};

static ASKED: AtomicUsize = AtomicUsize::new(0);

fn answer(review: Value) -> Value {
    ASKED.fetch_add(1, Ordering::Relaxed);
    assert_eq!(review["apiVersion"], "authentication.k8s.io/v1beta1");
    let status = match review["spec"]["token"].as_str().expect("a token") {
        "jane" => json!({"authenticated": true, "user": {"username": "jane", "groups": ["a"], "extra": {"k": ["v"]}}}),
        "other" => json!({"authenticated": true, "user": {"username": "jane"}, "audiences": ["other"]}),
        "bad" => json!({"authenticated": false, "error": "revoked"}),
        _ => json!({"authenticated": false}),
    };
    json!({"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1beta1", "status": status})
}

fn opened(hook: &Hook) -> Webhook {
    let path = kubeconfig(hook);
    let opened = Webhook::open(&path, Version::V1beta1, Duration::from_secs(120), vec!["api".into()]);
    std::fs::remove_file(path).expect("removed");
    opened.expect("a webhook")
}

#[tokio::test]
async fn a_webhook_tells_who_shows_a_token_and_is_asked_once() {
    let tasks = Tasks::new();
    let webhook = opened(&webhook(&tasks, answer).await);
    for _ in 0..3 {
        let found = webhook.recognise("jane", &[]).await.expect("answered").expect("known");
        assert_eq!((found.user.name.as_str(), found.user.groups.as_slice()), ("jane", &["a".to_owned()][..]));
        assert_eq!((&found.user.extra["k"], &found.audiences), (&vec!["v".to_owned()], &vec!["api".to_owned()]));
        assert_eq!(webhook.recognise("nobody", &[]).await.expect("answered"), None);
    }
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    let refused = webhook.recognise("bad", &[]).await.expect_err("refused");
    assert_eq!(refused.to_string(), "revoked");
    assert_eq!(webhook.recognise("other", &[]).await.expect("answered"), None, "it is for others");
    let asked_for = ["other".to_owned()];
    assert!(webhook.recognise("other", &asked_for).await.expect("answered").is_some());
    assert_eq!(webhook.recognise("jane", &asked_for).await.expect("answered"), None, "it is for the API server");
    tasks.stop();
}

#[tokio::test]
async fn a_webhook_that_is_not_there_is_an_error_that_is_not_kept() {
    let hook = Hook { url: "https://localhost:1/".into(), bundle: webhook(&Tasks::new(), answer).await.bundle };
    let refused = opened(&hook).recognise("jane", &[]).await.expect_err("nobody answers");
    assert!(nakhoda_api::status::chain(&*refused).contains("cannot be reached"));
}
