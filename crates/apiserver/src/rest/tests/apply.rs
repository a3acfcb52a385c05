//! Server-side apply by cases (`apply/*.cases`): the steps of each, and after each step what it answers and who owns
//! what. The answers are those that upstream's API server gave to the same steps.
//!
//! A line is a step, `VERB MANAGER RESOURCE/NAME[/SUBRESOURCE][?QUERY] BODY`, or what is known after the step before it:
//! `= CODE OBJECT` or `= CODE REASON MESSAGE`, `! FIELD MESSAGE` for each cause, `+ MANAGER OPERATION VERSION FIELDS`
//! for each entry of `managedFields`, each sort in alphabetical order. `apply!` forces; the manager `-` does not call itself
//! anything. `# ` begins a case, in which `show` names the part of the objects that is told; `kind` and `define` say
//! what resources are, and make them.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Answered, Rest};
use crate::testing::Server;

/// What the server sets, or what every case has.
const SERVERS: [&str; 9] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "name",
    "namespace",
];
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// One line that asks for something.
struct Step<'a> {
    verb: &'a str,
    manager: &'a str,
    resource: &'a str,
    name: &'a str,
    sub: &'a str,
    query: &'a str,
    body: Value,
}

/// A file of cases on its way through a server.
struct Run<'a> {
    rest: Rest,
    /// Resource, version, kind.
    kinds: Vec<[&'a str; 3]>,
    show: &'a str,
    made: Vec<String>,
}

/// The answers that differ, each after its case and step.
async fn differences(cases: &str) -> Vec<String> {
    let mut run = Run { rest: Rest::over(Server::custom().await), kinds: Vec::new(), show: "", made: Vec::new() };
    let (mut case, mut wrong) = ("", Vec::new());
    let mut lines = cases.lines().peekable();
    while let Some(line) = lines.next() {
        match line.split_once(' ') {
            None => {}
            Some(("#", title)) => {
                case = title;
                run.begin().await;
            }
            Some(("show", part)) => run.show = part,
            Some(("kind", what)) => run.kinds.push(three(what)),
            Some(("define", definition)) => run.define(definition).await,
            Some(_) => {
                let is_answer = |line: &&str| ["= ", "! ", "+ "].iter().any(|mark| line.starts_with(mark));
                let wanted: Vec<&str> = std::iter::from_fn(|| lines.next_if(is_answer)).collect();
                let got = run.step(&Step::parse(line)).await;
                if got != wanted {
                    wrong.push(format!("# {case}\n{line}\nwanted\n{}\ngot\n{}\n", wanted.join("\n"), got.join("\n")));
                }
            }
        }
    }
    wrong
}

async fn agrees(cases: &str) {
    let wrong = differences(cases).await;
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn three(words: &str) -> [&str; 3] {
    let words: Vec<&str> = words.split(' ').collect();
    words.try_into().expect("three words")
}

// === impl Step ===

impl<'a> Step<'a> {
    fn parse(line: &'a str) -> Self {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let [verb, manager, what, body] = words[..] else { panic!("four words: {line}") };
        let (path, query) = what.split_once('?').unwrap_or((what, ""));
        let (resource, name) = path.split_once('/').expect("a name");
        let (name, sub) = name.split_once('/').unwrap_or((name, ""));
        Self { verb, manager, resource, name, sub, query, body: serde_json::from_str(body).expect("JSON") }
    }

    fn method(&self) -> (Method, &'static str) {
        match self.verb {
            "create" => (Method::POST, "application/json"),
            "update" => (Method::PUT, "application/json"),
            "merge" => (Method::PATCH, "application/merge-patch+json"),
            "strategic" => (Method::PATCH, "application/strategic-merge-patch+json"),
            "json" => (Method::PATCH, "application/json-patch+json"),
            _ => (Method::PATCH, "application/apply-patch+yaml"),
        }
    }

    fn parameters(&self) -> String {
        let mut all: Vec<String> = vec![self.query.to_owned()];
        if self.manager != "-" {
            all.push(format!("fieldManager={}", self.manager.replace('%', "%25")));
        }
        if self.verb.ends_with('!') {
            all.push("force=true".into());
        }
        all.join("&")
    }
}

// === impl Run ===

impl<'a> Run<'a> {
    async fn begin(&mut self) {
        self.show = "";
        for path in std::mem::take(&mut self.made) {
            let free = r#"{"metadata":{"finalizers":null}}"#;
            self.rest.send(Method::PATCH, &path, &[("content-type", "application/merge-patch+json")], free).await;
            let now = r#"{"gracePeriodSeconds":0}"#;
            self.rest.send(Method::DELETE, &path, &[("content-type", "application/json")], now).await;
        }
    }

    /// Makes a kind, and waits until it is served; the test runner ends a test that waits forever.
    async fn define(&self, definition: &str) {
        assert_eq!(self.rest.post(DEFINITIONS, definition).await.code, 201);
        let name = serde_json::from_str::<Value>(definition).expect("JSON")["metadata"]["name"].clone();
        let path = format!("{DEFINITIONS}/{}", name.as_str().expect("a name"));
        while !self.rest.get(&path, "").await.json()["status"].to_string().contains(r#""type":"Established""#) {
            tokio::task::yield_now().await;
        }
    }

    fn kind(&self, resource: &str) -> [&'a str; 3] {
        *self.kinds.iter().find(|kind| kind[0] == resource).expect("a kind that was named")
    }

    fn path(&self, step: &Step<'_>, name: &str, sub: &str) -> String {
        let [resource, version, _] = self.kind(step.resource);
        let root = if version.contains('/') { "apis" } else { "api" };
        let plural = resource.split('.').next().unwrap_or(resource);
        let path = format!("/{root}/{version}/namespaces/default/{plural}/{name}/{sub}");
        path.trim_end_matches('/').to_owned()
    }

    async fn step(&mut self, step: &Step<'_>) -> Vec<String> {
        let whole = self.path(step, step.name, "");
        if !self.made.contains(&whole) {
            self.made.push(whole.clone());
        }
        let name = if step.verb == "create" { "" } else { step.name };
        let path = format!("{}?{}", self.path(step, name, step.sub), step.parameters());
        let ((method, media), body) = (step.method(), self.body(step).await);
        let headers = [("content-type", media), ("user-agent", "cases/1")];
        let answer = self.rest.send(method, &path, &headers, &body).await;
        if step.sub == "scale" && answer.code.is_success() {
            let owners = told(&self.rest.get(&whole, "").await, "").split_off(1);
            return [told(&answer, ""), owners].concat();
        }
        told(&answer, self.show)
    }

    /// What is sent: a text as it is, an object with its kind and name.
    async fn body(&self, step: &Step<'_>) -> String {
        let given = match &step.body {
            Value::String(text) => return text.clone(),
            Value::Object(given) if ["apply", "apply!", "create", "update"].contains(&step.verb) => given,
            patch => return patch.to_string(),
        };
        let [_, version, kind] =
            if step.sub == "scale" { ["", "autoscaling/v1", "Scale"] } else { self.kind(step.resource) };
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": step.name}});
        for (field, value) in given {
            match (value, &mut object[field]) {
                (Value::Object(metadata), Value::Object(own)) => own.extend(metadata.clone()),
                (value, place) => *place = value.clone(),
            }
        }
        if step.verb == "update" {
            let live = self.rest.get(&self.path(step, step.name, step.sub), "").await.json();
            object["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        }
        object.to_string()
    }
}

/// An answer in lines.
fn told(answer: &Answered, show: &str) -> Vec<String> {
    let (code, object) = (answer.code.as_u16(), answer.json());
    if code >= 400 {
        let mut lines = vec![format!("= {code} {} {}", object["reason"].as_str().unwrap_or("-"), object["message"])];
        let causes = object["details"]["causes"].as_array().into_iter().flatten();
        let cause = |cause: &Value| format!("! {} {}", cause["field"].as_str().unwrap_or("-"), cause["message"]);
        let mut causes: Vec<String> = causes.map(cause).collect();
        causes.sort();
        lines.append(&mut causes);
        return lines;
    }
    let mut owners: Vec<String> =
        object["metadata"]["managedFields"].as_array().into_iter().flatten().map(owner).collect();
    owners.sort();
    let mut lines = vec![format!("= {code} {}", sorted(shown(object, show)))];
    lines.append(&mut owners);
    lines
}

fn owner(entry: &Value) -> String {
    let text = |field: &str| entry[field].as_str().unwrap_or_default();
    let version = match text("subresource") {
        "" => text("apiVersion").to_owned(),
        sub => format!("{}/{sub}", text("apiVersion")),
    };
    format!("+ {} {} {version} {}", entry["manager"], text("operation"), sorted(entry["fieldsV1"].clone()))
}

/// What of an object its case tells.
fn shown(mut object: Value, show: &str) -> Value {
    let mut metadata = object["metadata"].take();
    let has = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|field, _| !SERVERS.contains(&field.as_str()));
    }
    let rest: Map<String, Value> =
        object.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut rest: Map<_, _> =
        rest.into_iter().filter(|(field, _)| !["apiVersion", "kind", "metadata"].contains(&field.as_str())).collect();
    if has(&metadata) {
        rest.insert("metadata".into(), metadata);
    }
    Value::Object(rest).pointer(show).cloned().unwrap_or_default()
}

fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

#[tokio::test]
async fn maps_are_applied_as_upstream_applies_them() {
    agrees(include_str!("apply/maps.cases")).await;
}

#[tokio::test]
async fn lists_and_sets_are_applied_as_upstream_applies_them() {
    agrees(include_str!("apply/lists.cases")).await;
}

#[tokio::test]
async fn owners_are_kept_as_upstream_keeps_them() {
    agrees(include_str!("apply/owners.cases")).await;
}

#[tokio::test]
async fn subresources_and_versions_are_applied_as_upstream_applies_them() {
    agrees(include_str!("apply/subresources.cases")).await;
}

#[tokio::test]
async fn custom_resources_are_applied_as_upstream_applies_them() {
    agrees(include_str!("apply/custom.cases")).await;
}
