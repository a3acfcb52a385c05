//! Makes and deletes the pods of a workload, and tells what happened as events on the workload.

use std::sync::Arc;

use futures::future::join_all;
use nakhoda_api::kinds::core::{Pod, PodTemplateSpec};
use nakhoda_api::kinds::meta::{DeleteOptions, ObjectMeta, Preconditions};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Client, Error, EventType, Key, Recorder, Resource, Result, owner, reference};

/// Pods on behalf of workloads. Cheap to clone.
#[derive(Clone)]
pub struct PodControl {
    client: Client,
    recorder: Recorder,
}

// === impl PodControl ===

impl PodControl {
    /// Writes through this client.
    #[must_use]
    pub const fn new(client: Client, recorder: Recorder) -> Self {
        Self { client, recorder }
    }

    /// Makes a pod of a workload.
    pub async fn create<O: Resource>(&self, workload: &O, pod: &Pod) -> Result<Pod> {
        match self.client.namespaced::<Pod>(workload.namespace()).create(pod).await {
            Ok(pod) => {
                self.tell(workload, EventType::Normal, "SuccessfulCreate", &format!("Created pod: {}", pod.name()));
                Ok(pod)
            }
            Err(error) => {
                if !is_namespace_terminating(&error) {
                    self.tell(workload, EventType::Warning, "FailedCreate", &format!("Error creating: {error}"));
                }
                Err(error)
            }
        }
    }

    /// Makes pods of a workload in growing batches, so that what cannot be made is tried once and not a
    /// thousand times. How many were made, and the first failure.
    pub async fn create_all<O: Resource>(
        &self,
        ledger: &Ledger,
        key: &Key,
        workload: &O,
        pods: &[&Pod],
    ) -> (usize, Result<()>) {
        ledger.expect_creations(key, pods.len());
        let (mut left, mut size, mut made) = (pods, 1, 0);
        while !left.is_empty() {
            let (batch, rest) = left.split_at(size.min(left.len()));
            let outcomes = join_all(batch.iter().map(|pod| self.create(workload, pod))).await;
            let failures: Vec<Error> = outcomes.into_iter().filter_map(Result::err).collect();
            made += batch.len() - failures.len();
            left = rest;
            let failed = failures.len();
            if let Some(first) = failures.into_iter().next() {
                (0..failed + left.len()).for_each(|_| ledger.created(key));
                return (made, if is_namespace_terminating(&first) { Ok(()) } else { Err(first) });
            }
            size *= 2;
        }
        (made, Ok(()))
    }

    /// Deletes pods of a workload at once; the first failure.
    pub async fn delete_all<O: Resource>(
        &self,
        ledger: &Ledger,
        key: &Key,
        workload: &O,
        pods: &[Arc<Pod>],
    ) -> Result<()> {
        ledger.expect_deletions(key, pods.iter().map(|p| p.uid().to_owned()));
        let outcomes = join_all(
            pods.iter()
                .map(|pod| async { self.delete(workload, pod).await.inspect_err(|_| ledger.deleted(key, pod.uid())) }),
        );
        outcomes.await.into_iter().collect()
    }

    /// Deletes a pod of a workload; that exact one, by its UID. One that is gone already is no error.
    pub async fn delete<O: Resource>(&self, workload: &O, pod: &Pod) -> Result<()> {
        match self.client.namespaced::<Pod>(pod.namespace()).delete(pod.name(), &exactly(pod)).await {
            Ok(_) => {
                self.tell(workload, EventType::Normal, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name()));
                Ok(())
            }
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            Err(error) => {
                self.tell(workload, EventType::Warning, "FailedDelete", &format!("Error deleting: {error}"));
                Err(error)
            }
        }
    }

    fn tell<O: Resource>(&self, workload: &O, type_: EventType, reason: &str, message: &str) {
        self.recorder.event(&reference(workload), type_, reason, message);
    }
}

/// The pod that a template describes, managed by a workload that names it.
#[must_use]
pub fn from_template<O: Resource>(template: &PodTemplateSpec, workload: &O) -> Pod {
    let meta = template.metadata.clone().unwrap_or_default();
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", workload.name())),
            namespace: workload.metadata().namespace.clone(),
            labels: meta.labels,
            annotations: meta.annotations,
            finalizers: meta.finalizers,
            owner_references: Some(vec![owner(workload)]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

/// Deletes this object and no later one of its name.
#[must_use]
pub fn exactly<K: Resource>(object: &K) -> DeleteOptions {
    let uid = object.metadata().uid.clone();
    DeleteOptions { preconditions: Some(Preconditions { uid, resource_version: None }), ..DeleteOptions::default() }
}

/// Whether a create failed because the namespace is on its way out: trying again is of no use.
#[must_use]
pub fn is_namespace_terminating(error: &Error) -> bool {
    let details = error.status().and_then(|s| s.details.as_ref());
    details.is_some_and(|d| d.causes.iter().any(|c| c.reason == "NamespaceTerminating"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::apps::ReplicaSet;

    #[test]
    fn a_pod_carries_its_templates_labels_and_its_owner() {
        let set = ReplicaSet {
            metadata: ObjectMeta {
                name: Some("web".into()),
                namespace: Some("shop".into()),
                uid: Some("u1".into()),
                ..ObjectMeta::default()
            },
            ..ReplicaSet::default()
        };
        let labels = Some([("app".to_owned(), "web".to_owned())].into());
        let template = PodTemplateSpec {
            metadata: Some(ObjectMeta { labels: labels.clone(), ..ObjectMeta::default() }),
            spec: None,
        };
        let pod = from_template(&template, &set);
        assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-"));
        assert_eq!(pod.metadata.labels, labels);
        let owner = &pod.metadata.owner_references.expect("owned")[0];
        assert_eq!((owner.uid.as_str(), owner.kind.as_str()), ("u1", "ReplicaSet"));
        assert_eq!((owner.controller, owner.block_owner_deletion), (Some(true), Some(true)));
    }
}
