//! The ConfigMap that tells since when the use of tokens in Secrets is noted
//! (`pkg/controlplane/controller/legacytokentracking`): who cleans them up must not take what was not noted for
//! unused. One that is deleted comes back, with a later day.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use nakhoda_daemon::Tasks;
use serde_json::{Value, json};

use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "kube-apiserver-legacy-service-account-token-tracking";
const SINCE: &str = "since";
/// How often it is looked at, in the cache.
const LOOK: Duration = Duration::from_secs(60);

/// Keeps it.
pub fn keep(pipeline: &Pipeline, tasks: &Tasks) {
    let pipeline = pipeline.clone();
    tasks.spawn("token tracking", async move {
        let mut tick = tokio::time::interval(LOOK);
        loop {
            tick.tick().await;
            match ensure(&pipeline).await {
                Err(status) if !status.is(Reason::AlreadyExists) && !status.is(Reason::Conflict) => {
                    tracing::warn!(error = %status, "the tracking of tokens cannot be told, trying again");
                }
                _ => {}
            }
        }
    });
}

/// Makes it, or mends it.
async fn ensure(pipeline: &Pipeline) -> Result<(), Status> {
    let gvr = GroupVersionResource::new("", "v1", "configmaps");
    let known = pipeline.storage().item(&gvr, NAMESPACE, NAME);
    let known = known.map(|item| serde_json::from_slice::<Value>(item.json()).unwrap_or_default());
    let target = |name: &str| ResourceTarget {
        gvr: gvr.clone(),
        namespace: NAMESPACE.into(),
        name: name.into(),
        ..ResourceTarget::default()
    };
    let today = pipeline.now().to_zoned(TimeZone::UTC).date().to_string();
    let write = |object: Value| -> Result<Write, Status> {
        let object = Object::from_value(object).map_err(|error| Status::internal(&error))?;
        Ok(Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() })
    };
    match known {
        Some(map) if is_day(&map["data"][SINCE]) => Ok(()),
        Some(mut map) => {
            map["data"][SINCE] = today.into();
            pipeline.internal(target(NAME), Action::Update(write(map)?)).await.map(drop)
        }
        None => {
            let map = json!({"kind": "ConfigMap", "apiVersion": "v1",
                "metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {SINCE: today}});
            pipeline.internal(target(""), Action::Create(write(map)?)).await.map(drop)
        }
    }
}

fn is_day(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<Date>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Server;

    #[tokio::test]
    async fn it_is_made_once_and_mended_when_it_tells_no_day() {
        let server = Server::empty().await;
        server.create("namespaces", "", &json!({"metadata": {"name": NAMESPACE}})).await.expect("a namespace");
        ensure(&server.pipeline).await.expect("told");
        // what was written is in the cache once it was read
        let map = server.get("configmaps", NAMESPACE, NAME).await.expect("there");
        ensure(&server.pipeline).await.expect("told");
        assert!(is_day(&map["data"][SINCE]) && map["metadata"]["resourceVersion"].is_string());
        server.patch("configmaps", NAMESPACE, NAME, &json!({"data": {SINCE: "once"}})).await.expect("spoilt");
        server.get("configmaps", NAMESPACE, NAME).await.expect("there");
        ensure(&server.pipeline).await.expect("mended");
        let map = server.get("configmaps", NAMESPACE, NAME).await.expect("there");
        assert!(is_day(&map["data"][SINCE]), "{map}");
    }
}
