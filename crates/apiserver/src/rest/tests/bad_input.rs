//! The table of bad requests (`bad_input.tsv`): each is answered by a Status with the right code, reason and
//! causes, and the server goes on. Among them is the class of CVE-2019-11253 (aliases of YAML that multiply),
//! CVE-2019-11254 (YAML that takes long to read) and CVE-2020-8552 (bodies that fill the memory).

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Rest;

const CASES: &str = include_str!("bad_input.tsv");
/// No answer repeats a long input more often than its texts say.
const ANSWER: usize = 2 << 20;
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const TYPES: &[(&str, &str)] = &[
    ("apply", "application/apply-patch+yaml"),
    ("cbor", "application/cbor"),
    ("form", "application/x-www-form-urlencoded"),
    ("json", "application/json"),
    ("json-patch", "application/json-patch+json"),
    ("merge-patch", "application/merge-patch+json"),
    ("protobuf", "application/vnd.kubernetes.protobuf"),
    ("strategic-patch", "application/strategic-merge-patch+json"),
    ("text", "text/plain"),
    ("yaml", "application/yaml"),
];

struct Case {
    request: [&'static str; 3],
    answer: String,
    body: &'static str,
}

fn cases() -> Vec<Case> {
    let lines = CASES.lines().filter(|line| !line.starts_with('#'));
    let case = |line: &'static str| {
        let fields: Vec<&str> = line.splitn(7, '\t').collect();
        let [method, path, kind, code, reason, causes, body] = fields[..] else { panic!("seven fields: {line}") };
        Case { request: [method, path, kind], answer: format!("{code} {reason} {causes}"), body }
    };
    lines.map(case).collect()
}

/// Repeats what `<<x*N>>` says, and puts the short names' long ones in.
fn expand(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, repeat)) = rest.split_once("<<") {
        let (inner, after) = repeat.split_once(">>").expect("closed");
        let (part, times) = inner.rsplit_once('*').expect("a number");
        out += before;
        out += &part.repeat(times.parse().expect("a number"));
        rest = after;
    }
    (out + rest).replace("$M", MAPS).replace("$P", "/api/v1/namespaces/default/pods")
}

/// The bytes that `\n`, `\t` and `\xNN` stand for.
fn bytes(text: &str) -> Bytes {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, length) = match (first, tail) {
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'x', a, b, ..]) => {
                let digits = [*a, *b];
                let hex = std::str::from_utf8(&digits).expect("ASCII");
                (u8::from_str_radix(hex, 16).expect("hexadecimal"), 4)
            }
            (other, _) => (*other, 1),
        };
        out.push(byte);
        rest = &rest[length..];
    }
    out.into()
}

fn told(status: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("None").to_owned();
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    let mut causes: Vec<String> = causes.map(|c| format!("{}:{}", text(&c["reason"]), text(&c["field"]))).collect();
    causes.sort();
    let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let reason = or_none(status["reason"].as_str().unwrap_or_default().to_owned());
    format!("{} {reason} {}", status["code"], or_none(causes.join(",")))
}

async fn ask(rest: &Rest, case: &Case) -> Value {
    let [method, path, kind] = case.request;
    let mut request = Request::builder().method(method).uri(expand(path)).header("accept", "application/json");
    if let Some((_, media)) = TYPES.iter().find(|(name, _)| *name == kind) {
        request = request.header("content-type", *media);
    }
    let request = request.body(Body::from(bytes(&expand(case.body)))).expect("a request");
    let (parts, body) = rest.router.clone().oneshot(request).await.expect("infallible").into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    // a path of nobody's is answered by a line of text
    serde_json::from_slice(&body).unwrap_or_else(|_| json!({"kind": "Status", "code": parts.status.as_u16()}))
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong_with_them() {
    let rest = Rest::start().await;
    assert_eq!(rest.post(MAPS, r#"{"metadata":{"name":"there"},"data":{"k":"v"}}"#).await.code, 201);
    let mut wrong = Vec::new();
    for case in cases() {
        let status = ask(&rest, &case).await;
        let told_length = status.to_string().len();
        assert!(told_length <= ANSWER, "{:?} is answered with {told_length} bytes", case.request);
        if told(&status) != case.answer || status["kind"] != "Status" {
            let body: String = case.body.chars().take(60).collect();
            wrong.push(format!(
                "{:?} {body}\n  wanted {}\n  got    {} {}",
                case.request,
                case.answer,
                told(&status),
                status["message"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(rest.get(&format!("{MAPS}/there"), "").await.json()["data"]["k"], "v");
}
