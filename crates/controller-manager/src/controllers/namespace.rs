//! A namespace that is deleted: its contents go first, pods before all else, and then itself.

use std::time::Duration;

use futures::{StreamExt, stream};
use nakhoda_api::kinds::core::{Namespace, Pod};
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Resource, Result, Selection};

use crate::context::{Context, Watches};
use crate::served::Served;

pub mod conditions;

use conditions::Remains;

const NAME: &str = "namespace";
const WORKERS: usize = 5;
/// Requests about the contents of one namespace at a time.
const PARALLEL: usize = 8;
/// When to look again after contents that somebody else must let go.
const AGAIN: Duration = Duration::from_secs(2);
/// The finalizer that this controller takes off.
const FINALIZER: &str = "kubernetes";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (namespaces, pods) = (cx.informers.of::<Namespace>(), cx.informers.of::<Pod>());
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&namespaces, terminating);
    let all = namespaces.clone();
    watches.on_change(&pods, move |change| emptied(&all, change));
    watches.run(WORKERS, Namespaces { cx: cx.clone(), namespaces });
}

struct Namespaces {
    cx: Context,
    namespaces: Informer<Namespace>,
}

// === impl Namespaces ===

impl Reconcile for Namespaces {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        if self.namespaces.get(key).is_none_or(|n| !n.is_terminating()) {
            return Ok(Outcome::Done);
        }
        match self.delete(&key.name).await {
            Err(error) if error.is_not_found() => Ok(Outcome::Done),
            outcome => outcome,
        }
    }
}

impl Namespaces {
    async fn delete(&self, name: &str) -> Result<Outcome> {
        let api = self.cx.client.all::<Namespace>();
        let mut namespace = api.get(name).await?;
        if !namespace.is_terminating() || finalizers(&namespace).is_empty() {
            return Ok(Outcome::Done);
        }
        if phase(&namespace) != "Terminating" {
            namespace.status.get_or_insert_default().phase = Some("Terminating".into());
            namespace = api.update_status(&namespace).await?;
        }
        let remains = self.empty(name).await;
        if let Some(told) = conditions::tell(&namespace, &remains, crate::clock::now()) {
            namespace = api.update_status(&told).await?;
        }
        if !remains.is_empty() {
            return Ok(Outcome::After(AGAIN));
        }
        let spec = namespace.spec.get_or_insert_default();
        spec.finalizers.get_or_insert_default().retain(|f| f != FINALIZER);
        let _: Object = api.update_sub(name, "finalize", &namespace).await?;
        Ok(Outcome::Done)
    }

    /// Deletes what can be deleted, and says what is left. While pods are left, nothing else is
    /// touched: they may need it to end well.
    async fn empty(&self, namespace: &str) -> Remains {
        let mut remains = Remains::default();
        let served = match self.cx.client.discover().await {
            Ok(document) => Served::all(&document),
            Err(error) => {
                remains.undiscovered = Some(error.to_string());
                return remains;
            }
        };
        if served.is_empty() {
            remains.undiscovered = Some("the API server tells no resources".into());
            return remains;
        }
        let mut kinds: Vec<Served> = served.into_iter().filter(|s| s.namespaced && s.can(&["list", "delete"])).collect();
        let pods = kinds.iter().position(|s| s.gvr.group.is_empty() && s.gvr.resource == "pods");
        if let Some(pods) = pods.map(|p| kinds.swap_remove(p)) {
            remains.add(&pods.gvr, self.clear(&pods, namespace).await);
            if !remains.is_empty() {
                return remains;
            }
        }
        let each: Vec<_> = kinds
            .into_iter()
            .map(|kind| async move {
                let outcome = self.clear(&kind, namespace).await;
                (kind, outcome)
            })
            .collect();
        let mut outcomes = stream::iter(each).buffer_unordered(PARALLEL);
        while let Some((kind, outcome)) = outcomes.next().await {
            remains.add(&kind.gvr, outcome);
        }
        remains
    }

    /// Deletes all objects of a kind; those that are still there.
    async fn clear(&self, kind: &Served, namespace: &str) -> Result<Vec<Object>> {
        let api = self.cx.client.dynamic(&kind.gvr, Some(namespace));
        let all = Selection::default();
        let there = api.list(&all).await?.items;
        if there.is_empty() {
            return Ok(there);
        }
        let options =
            DeleteOptions { propagation_policy: Some("Background".into()), ..DeleteOptions::default() };
        if kind.can(&["deletecollection"]) {
            api.delete_collection(&all, &options).await?;
        } else {
            for object in there.into_iter().filter(|o| !o.is_terminating()) {
                api.delete(object.name(), &options).await?;
            }
        }
        Ok(api.list(&all).await?.items)
    }
}

fn finalizers(namespace: &Namespace) -> &[String] {
    namespace.spec.as_ref().and_then(|s| s.finalizers.as_deref()).unwrap_or_default()
}

fn phase(namespace: &Namespace) -> &str {
    namespace.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// A namespace that is being deleted. Its own status, which this controller writes, wakes nobody.
fn terminating(change: &Change<Namespace>) -> Vec<Key> {
    let namespace = change.object();
    let news = match change {
        Change::Added(_) => true,
        Change::Updated { old, .. } => !old.is_terminating() || finalizers(old) != finalizers(namespace),
        Change::Deleted(_) => false,
    };
    if news && namespace.is_terminating() { vec![change.key()] } else { Vec::new() }
}

/// The namespace of a pod that is gone, if it waits for that.
fn emptied(namespaces: &Informer<Namespace>, change: &Change<Pod>) -> Vec<Key> {
    let key = Key::new("", change.object().namespace());
    let gone = matches!(change, Change::Deleted(_));
    let waits = gone && namespaces.get(&key).is_some_and(|n| n.is_terminating());
    if waits { vec![key] } else { Vec::new() }
}

/// How a resource is called in the conditions.
fn label(gvr: &GroupVersionResource) -> String {
    format!("{}.{}", gvr.resource, gvr.group)
}
