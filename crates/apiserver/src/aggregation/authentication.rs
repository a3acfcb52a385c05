//! The ConfigMap from which other API servers learn whom to believe: the CA of clients, and the one who may name
//! callers in headers.

use std::path::Path;

use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use serde_json::{Map, Value, json};

use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};

/// Its name, in `kube-system`.
pub const NAME: &str = "extension-apiserver-authentication";

/// What it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The CA of clients, in PEM.
    pub clients: String,
    /// The CA of who may name callers, in PEM; empty if there is none.
    pub front: String,
    /// The common names of who may; any if empty.
    pub names: Vec<String>,
}

// === impl Facts ===

impl Facts {
    /// Reads the files.
    pub fn read(clients: &Path, front: Option<&Path>, names: &[String]) -> std::io::Result<Self> {
        let front = front.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
        Ok(Self { clients: std::fs::read_to_string(clients)?, front, names: names.into() })
    }

    fn data(&self) -> Map<String, Value> {
        let mut data = Map::from_iter([("client-ca-file".to_owned(), Value::from(self.clients.as_str()))]);
        if !self.front.is_empty() {
            data.insert("requestheader-allowed-names".into(), json!(self.names).to_string().into());
            data.insert("requestheader-client-ca-file".into(), self.front.as_str().into());
            data.insert("requestheader-extra-headers-prefix".into(), r#"["X-Remote-Extra-"]"#.into());
            data.insert("requestheader-group-headers".into(), r#"["X-Remote-Group"]"#.into());
            data.insert("requestheader-username-headers".into(), r#"["X-Remote-User"]"#.into());
        }
        data
    }
}

/// Makes the ConfigMap, or mends it.
pub async fn ensure(pipeline: &Pipeline, facts: &Facts) -> Result<(), Status> {
    let target = |name: &str| ResourceTarget {
        gvr: GroupVersionResource::new("", "v1", "configmaps"),
        namespace: "kube-system".into(),
        name: name.into(),
        ..ResourceTarget::default()
    };
    let value = json!({"kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {"name": NAME, "namespace": "kube-system"}, "data": facts.data()});
    let known = pipeline.storage().item(&target("").gvr, "kube-system", NAME);
    if known
        .is_some_and(|item| Object::from_json(item.json()).is_ok_and(|old| old.root().get("data") == value.get("data")))
    {
        return Ok(());
    }
    let object = Object::from_value(value).map_err(|error| Status::internal(&error))?;
    let write = || Write { body: Body::Object(Box::new(object.clone())), options: WriteOptions::default() };
    match pipeline.internal(target(""), Action::Create(write())).await {
        Err(status) if status.is(Reason::AlreadyExists) => {
            pipeline.internal(target(NAME), Action::Update(write())).await.map(drop)
        }
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_are_told_are_those_that_are_believed() {
        let facts = |names: &[&str]| Facts {
            front: "PEM".into(),
            names: names.iter().map(|&n| n.into()).collect(),
            ..Facts::default()
        };
        let told = |facts: Facts| facts.data()["requestheader-allowed-names"].clone();
        assert_eq!(told(facts(&["front-proxy-client", "gateway"])), r#"["front-proxy-client","gateway"]"#);
        assert_eq!(told(facts(&[])), "[]", "anybody whom that CA has signed");
        assert!(!Facts::default().data().contains_key("requestheader-allowed-names"));
    }
}
