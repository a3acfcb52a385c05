//! Checks a rule after every change of a pod, and waits until something holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::kinds::core::Pod;
use nakhoda_client::{Change, Informers, Resource};

use super::Run;

/// Pods by name.
pub(crate) type Pods = BTreeMap<String, Arc<Pod>>;

// === impl Run ===

impl Run {
    /// Calls `rule` with the pods after each change, and with the pod that is new, if one is. A broken
    /// rule ends the run.
    pub(crate) fn always(&self, rule: impl Fn(&Pods, Option<&Pod>) -> Result<(), String> + Send + 'static) {
        let informers = Informers::new(self.memory.client(), self.tasks.clone());
        let mut changes = informers.of::<Pod>().subscribe();
        let (seed, tasks) = (self.seed, self.tasks.clone());
        tokio::spawn(async move {
            let mut pods = Pods::new();
            while let Some(first) = changes.recv().await {
                let mut added = take(&mut pods, first);
                // A watch that was broken tells at once, in no order, what happened meanwhile: between
                // two such pieces of news nothing holds.
                while let Ok(more) = changes.try_recv() {
                    added = take(&mut pods, more).or(added);
                }
                if let Err(broken) = rule(&pods, added.as_deref()) {
                    tasks.fail(format!("seed {seed}: {broken}"));
                }
            }
        });
    }

    /// Waits until an object is as asked for, and fails if a rule was broken meanwhile.
    pub(crate) async fn until<K: Resource>(&self, name: &str, holds: impl Fn(&K) -> bool) -> K {
        let api = self.memory.client().namespaced::<K>("default");
        loop {
            if let Some(broken) = self.tasks.failure() {
                panic!("{broken}");
            }
            if let Ok(object) = api.get(name).await
                && holds(&object)
            {
                return object;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// All pods.
    pub(crate) async fn pods(&self) -> Vec<Pod> {
        let api = self.memory.client().namespaced::<Pod>("default");
        api.list(&nakhoda_client::Selection::default()).await.expect("memory refuses nobody").items
    }
}

/// Takes in a change; says which pod is new, if one is.
fn take(pods: &mut Pods, change: Change<Pod>) -> Option<Arc<Pod>> {
    let (name, pod) = (change.object().name().to_owned(), change.object().clone());
    match change {
        Change::Deleted(_) => {
            pods.remove(&name);
            None
        }
        Change::Added(_) => {
            pods.insert(name, pod.clone());
            Some(pod)
        }
        Change::Updated { .. } => {
            pods.insert(name, pod);
            None
        }
    }
}
