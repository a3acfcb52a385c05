//! Values that an upstream API server (1.36) wrote, each with what it answers for it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use nakhoda_api::Status;
use nakhoda_store::{Memory, Store};
use serde_json::{Value, json};

use crate::encryption::{Encryption, Rules};
use crate::testing::Server;

/// Lines of a key, the value in base64 (protobuf, a definition JSON), and the object without its resource version.
const UPSTREAM: &str = include_str!("upstream.txt");

struct Sample {
    key: &'static str,
    value: Bytes,
    object: Value,
}

fn samples() -> Vec<Sample> {
    let sample = |line: &'static str| {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().expect("three parts");
        let (key, value, object) = (part(), STANDARD.decode(part()).expect("base64"), part());
        Sample { key, value: value.into(), object: serde_json::from_str(object).expect("JSON") }
    };
    UPSTREAM.lines().map(sample).collect()
}

/// The plural of an object's kind, if it is served.
fn resource(server: &Server, object: &Value) -> Option<String> {
    let kinds = server.pipeline.kinds().all();
    let is = |kind: &str, version: String| object["kind"] == kind && object["apiVersion"] == version.as_str();
    let found = kinds.iter().find(|kind| is(&kind.info.gvk.kind, kind.info.gvk.api_version()));
    found.map(|kind| kind.info.plural.into())
}

fn names(object: &Value) -> (&str, &str) {
    let meta = &object["metadata"];
    (meta["namespace"].as_str().unwrap_or_default(), meta["name"].as_str().unwrap_or_default())
}

async fn filled() -> Server {
    let store = Arc::new(Memory::default());
    for sample in samples() {
        store.create(sample.key.into(), sample.value, &Default::default()).await.expect("stored");
    }
    Server::over(store, Encryption::default()).await
}

#[tokio::test]
async fn an_etcd_that_upstream_filled_is_read_and_taken_over() {
    let server = filled().await;
    let mut kinds = 0;
    for Sample { key, object, .. } in samples() {
        let (Some(resource), (namespace, name)) = (resource(&server, &object), names(&object)) else { continue };
        kinds += 1;
        let mut read = server.get(&resource, namespace, name).await.expect(key);
        assert!(read["metadata"].as_object_mut().and_then(|meta| meta.remove("resourceVersion")).is_some());
        assert_eq!(read, object, "{key}");
        server.patch(&resource, namespace, name, &json!({})).await.expect(key);
        let stored = server.store.get(key.as_bytes()).await.expect("read").entry.expect("there");
        assert!(stored.value.starts_with(b"{\"kind\":"), "{key} is stored as JSON, though nothing changed");
        let mut read = server.get(&resource, namespace, name).await.expect(key);
        read["metadata"].as_object_mut().and_then(|meta| meta.remove("resourceVersion"));
        assert_eq!(read, object, "{key}, taken over");
    }
    assert!(kinds >= 36, "{kinds}");
}

#[tokio::test]
async fn an_older_version_is_read_as_the_one_served() {
    let store = Arc::new(Memory::default());
    let sample = samples().into_iter().find(|sample| sample.key.contains("/poddisruptionbudgets/")).expect("one");
    let text = sample.value.escape_ascii().to_string().replacen("\\tpolicy/v1", "\\x0epolicy/v1beta1", 1);
    let (head, tail) = (&text[.."k8s\\x00\\n".len()], &text["k8s\\x00\\n ".len()..]);
    let beta = unescape(&format!("{head}%{tail}"));
    store.create(sample.key.into(), beta.into(), &Default::default()).await.expect("stored");
    let old = br#"{"kind":"CronJob","apiVersion":"batch/v1beta1","metadata":{"name":"a","namespace":"shop"},"spec":{"schedule":"@daily"}}"#;
    store
        .create("/registry/cronjobs/shop/a".into(), Bytes::from_static(old), &Default::default())
        .await
        .expect("stored");
    let server = Server::over(store, Encryption::default()).await;
    let read = server.get("poddisruptionbudgets", "shop", "web").await.expect("read");
    assert_eq!((&read["apiVersion"], &read["spec"]), (&json!("policy/v1"), &sample.object["spec"]));
    let read = server.get("cronjobs", "shop", "a").await.expect("read");
    assert_eq!((&read["apiVersion"], &read["spec"]["schedule"]), (&json!("batch/v1"), &json!("@daily")));
}

/// Undoes `escape_ascii`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut made = Vec::new();
    while let Some(byte) = bytes.next() {
        made.push(match (byte, byte == b'\\').0 {
            b'\\' => match bytes.next() {
                Some(b'x') => {
                    let digits = [bytes.next().expect("a digit"), bytes.next().expect("a digit")];
                    u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("hexadecimal")
                }
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'r') => b'\r',
                Some(other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    made
}

fn keys(providers: &str) -> Encryption {
    let text = format!(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  \
         providers: [{providers}]\n"
    );
    Encryption::new(Rules::parse(text.as_bytes()).expect("a configuration"))
}

#[tokio::test]
async fn secrets_lie_encrypted_and_the_next_write_takes_the_new_key() {
    let (a, b) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
    let store = Arc::new(Memory::default());
    let key = b"/registry/secrets/default/s";
    let first =
        Server::over(store.clone(), keys(&format!("{{secretbox: {{keys: [{{name: a, secret: {a}}}]}}}}"))).await;
    first.create("namespaces", "", &json!({"metadata": {"name": "default"}})).await.expect("a namespace");
    first.create("secrets", "default", &json!({"metadata": {"name": "s"}, "data": {"k": "dg=="}})).await.expect("made");
    let lies = |store: Arc<Memory>| async move { store.get(key).await.expect("read").entry.expect("there").value };
    assert!(lies(store.clone()).await.starts_with(b"k8s:enc:secretbox:v1:a:"));
    let both = format!("{{secretbox: {{keys: [{{name: b, secret: {b}}}, {{name: a, secret: {a}}}]}}}}");
    let second = Server::over(store.clone(), keys(&both)).await;
    let read = second.get("secrets", "default", "s").await.expect("read");
    assert_eq!(read["data"], json!({"k": "dg=="}));
    let written = second.patch("secrets", "default", "s", &json!({})).await.expect("written");
    assert!(lies(store.clone()).await.starts_with(b"k8s:enc:secretbox:v1:b:"));
    assert_ne!(written["metadata"]["resourceVersion"], read["metadata"]["resourceVersion"]);
    let again = second.patch("secrets", "default", "s", &json!({})).await.expect("kept");
    assert_eq!(written, again, "only once");
}

#[tokio::test]
async fn without_the_key_reads_are_refused_with_the_reason() {
    let store = Arc::new(Memory::default());
    let sealed = Bytes::from_static(b"k8s:enc:secretbox:v1:gone:xxxx");
    store.create("/registry/secrets/default/s".into(), sealed, &Default::default()).await.expect("stored");
    let server = Server::over(store, Encryption::default()).await;
    let why = "identity transformer tried to read encrypted data";
    let refused = |result: Result<Value, Status>| result.expect_err("refused");
    let get = refused(server.get("secrets", "default", "s").await);
    assert_eq!((get.code, get.message), (500, format!("Internal error occurred: {why}")));
    let patch = refused(server.patch("secrets", "default", "s", &json!({"data": {"a": "Yg=="}})).await);
    assert_eq!((patch.code, patch.message), (500, format!("Internal error occurred: {why}")));
    let list = server.list("secrets", "default", Default::default()).await.map(|_| ()).expect_err("refused");
    let text = format!("Internal error occurred: unable to transform key \"/registry/secrets/default/s\": {why}");
    assert_eq!((list.code, list.message), (500, text));
    assert!(server.names("secrets", "other", Default::default()).await.expect("another namespace").is_empty());
}
