//! kube-rs against the server of KUBECONFIG: create, list by pages, conflict, apply, the patches, a reflector with a
//! streamed list, a controller, delete.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Client, Resource, ResourceExt};
use serde_json::json;

/// How long a flow waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<()> {
    let client = Client::try_default().await?;
    let namespace = Namespace {
        metadata: ObjectMeta { generate_name: Some("rust-".into()), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    let namespace = Api::all(client.clone()).create(&PostParams::default(), &namespace).await?.name_any();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    pages(&maps).await?;
    conflict(&maps).await?;
    patches(&maps).await?;
    reflected(&maps).await?;
    controlled(client, &namespace).await
}

fn map(name: &str, text: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("k".into(), text.into())])),
        ..ConfigMap::default()
    }
}

fn code<T>(outcome: kube::Result<T>) -> u16 {
    match outcome {
        Err(kube::Error::Api(status)) => status.code,
        Err(_) => 0,
        Ok(_) => 200,
    }
}

async fn pages(maps: &Api<ConfigMap>) -> Result<()> {
    let creator = PostParams { field_manager: Some("creator".into()), ..PostParams::default() };
    for number in 0..5 {
        maps.create(&creator, &map(&format!("map-{number}"), "v")).await?;
    }
    ensure!(code(maps.create(&creator, &map("map-0", "v")).await) == 409, "made twice");
    let (mut names, mut pages) = (Vec::new(), ListParams::default().limit(2));
    loop {
        let page = maps.list(&pages).await?;
        names.extend(page.items.iter().map(ResourceExt::name_any));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => pages = ListParams::default().limit(2).continue_token(&token),
            None => break,
        }
    }
    ensure!(names.len() == 5, "pages: {names:?}");
    Ok(())
}

async fn conflict(maps: &Api<ConfigMap>) -> Result<()> {
    let old = maps.get("map-0").await?;
    let mut new = old.clone();
    new.data = map("map-0", "w").data;
    maps.replace("map-0", &PostParams::default(), &new).await?;
    ensure!(code(maps.replace("map-0", &PostParams::default(), &old).await) == 409, "an update of what is gone");
    Ok(())
}

async fn patches(maps: &Api<ConfigMap>) -> Result<()> {
    let none = PatchParams::default();
    maps.patch("map-2", &none, &Patch::Merge(json!({"data": {"merge": "1"}}))).await?;
    let patched = maps.patch("map-2", &none, &Patch::Strategic(json!({"data": {"strategic": "1"}}))).await?;
    ensure!(patched.data.as_ref().is_some_and(|data| data.len() == 3), "patched: {patched:?}");
    let own = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "mine"}});
    let applier = PatchParams::apply("applier");
    ensure!(code(maps.patch("map-1", &applier, &Patch::Apply(&own)).await) == 409, "another's field is applied");
    let forced = maps.patch("map-1", &applier.force(), &Patch::Apply(&own)).await?;
    ensure!(forced.managed_fields().len() == 2, "applied: {forced:?}");
    Ok(())
}

/// A store that a watch fills, beginning with a streamed list.
async fn reflected(maps: &Api<ConfigMap>) -> Result<()> {
    let (store, writer) = reflector::store();
    let events = watcher(maps.clone(), watcher::Config::default().streaming_lists());
    let mut events = std::pin::pin!(events.default_backoff().reflect(writer));
    let filled = async {
        while store.len() < 5 {
            events.try_next().await?.context("the watch ended")?;
        }
        maps.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        maps.create(&PostParams::default(), &map("last", "v")).await?;
        while store.len() != 1 {
            events.try_next().await?.context("the watch ended")?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, filled).await.context("the store does not follow")?
}

/// A controller that keeps a Secret for each map, and owns it.
async fn controlled(client: Client, namespace: &str) -> Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    let controller = Controller::new(maps.clone(), watcher::Config::default())
        .owns(secrets.clone(), watcher::Config::default())
        .run(copy, |_, _, _| Action::requeue(Duration::from_millis(100)), Arc::new(secrets.clone()));
    let running = tokio::spawn(controller.for_each(|_| std::future::ready(())));
    let copied = async {
        while secrets.get_opt("last").await?.is_none_or(|secret| secret.owner_references().len() != 1) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    let outcome = tokio::time::timeout(PATIENCE, copied).await.context("the controller does nothing")?;
    running.abort();
    outcome
}

async fn copy(source: Arc<ConfigMap>, secrets: Arc<Api<Secret>>) -> kube::Result<Action> {
    let copy = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": source.name_any(), "ownerReferences": [source.controller_owner_ref(&())]},
        "stringData": source.data,
    });
    secrets.patch(&source.name_any(), &PatchParams::apply("copies").force(), &Patch::Apply(&copy)).await?;
    Ok(Action::await_change())
}
