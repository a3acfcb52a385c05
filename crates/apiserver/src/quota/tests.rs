use futures::future::join_all;
use nakhoda_api::Reason;
use serde_json::{Value, json};

use crate::request::WriteOptions;
use crate::testing::Server;

async fn server(hard: Value, used: Value) -> Server {
    let server = Server::start().await;
    let quota = json!({"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": hard}});
    let mut made = server.create("resourcequotas", "default", &quota).await.expect("made");
    made["status"] = json!({"hard": hard, "used": used});
    server.update("resourcequotas/status", &made).await.expect("counted");
    server.get("resourcequotas", "default", "q").await.expect("in the cache, too");
    server
}

fn config(name: &str) -> Value {
    json!({"metadata": {"name": name}})
}

async fn used(server: &Server) -> Value {
    server.get("resourcequotas", "default", "q").await.expect("there")["status"]["used"].clone()
}

#[tokio::test]
async fn what_is_made_is_charged_and_what_is_too_much_refused() {
    let server = server(json!({"configmaps": "2"}), json!({"configmaps": "0"})).await;
    server.create("configmaps", "default", &config("a")).await.expect("the first");
    assert_eq!(used(&server).await, json!({"configmaps": "1"}));
    let dry = WriteOptions { dry_run: true, ..WriteOptions::default() };
    server.create_with("configmaps", "default", &config("b"), dry).await.expect("nothing is made");
    assert_eq!(used(&server).await, json!({"configmaps": "1"}));
    let taken = server.create("configmaps", "default", &config("a")).await.expect_err("the name is taken");
    assert!(taken.is(Reason::AlreadyExists));
    assert_eq!(used(&server).await, json!({"configmaps": "1"}), "nothing is charged for what is not made");
    server.create("configmaps", "default", &config("b")).await.expect("the second");
    let refused = server.create("configmaps", "default", &config("c")).await.expect_err("one too many");
    assert!(refused.is(Reason::Forbidden));
    let why = "configmaps \"c\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2";
    assert_eq!(refused.message, why);
}

#[tokio::test]
async fn many_at_once_get_exactly_what_there_is() {
    let server = server(json!({"count/configmaps": "7"}), json!({"count/configmaps": "0"})).await;
    let configs: Vec<Value> = (0..20).map(|n| config(&format!("c{n}"))).collect();
    let made = join_all(configs.iter().map(|config| server.create("configmaps", "default", config))).await;
    assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 7);
    assert_eq!(used(&server).await, json!({"count/configmaps": "7"}));
}

#[tokio::test]
async fn a_count_that_was_corrected_meanwhile_is_seen() {
    let server = server(json!({"secrets": "1"}), json!({"secrets": "0"})).await;
    server.create("secrets", "default", &config("a")).await.expect("room for one");
    let freed = json!({"status": {"used": {"secrets": "0"}}});
    server.patch("resourcequotas/status", "default", "q", &freed).await.expect("counted anew");
    server.create("secrets", "default", &config("b")).await.expect("room again");
    assert_eq!(used(&server).await, json!({"secrets": "1"}));
}

#[tokio::test]
async fn a_changed_service_is_charged_for_what_it_takes_more() {
    let hard = json!({"services": "1", "services.nodeports": "1"});
    let server = server(hard, json!({"services": "0", "services.nodeports": "0"})).await;
    let ports = json!([{"port": 80}]);
    let service = json!({"metadata": {"name": "s"}, "spec": {"ports": ports, "selector": {"a": "b"}}});
    server.create("services", "default", &service).await.expect("made");
    let open = json!({"spec": {"type": "NodePort"}});
    server.patch("services", "default", "s", &open).await.expect("one node port");
    assert_eq!(used(&server).await, json!({"services": "1", "services.nodeports": "1"}));
    let more = json!({"spec": {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}});
    let refused = server.patch("services", "default", "s", &more).await.expect_err("two are too many");
    assert!(refused.message.contains("exceeded quota: q, requested: services.nodeports=1"), "{}", refused.message);
}
