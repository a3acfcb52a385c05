//! [`Store`]: the revisions of workloads as they are kept.

use std::sync::Arc;

use nakhoda_api::kinds::apps::ControllerRevision;
use nakhoda_client::{Client, Error, Informer, Resource, Result};

use super::{Revisioned, Step, build, holds, step, surplus};
use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::pod_control::exactly;
use crate::replicator::by_controller;

const BY_CONTROLLER: &str = "controller";

/// The revisions of the workloads of a controller.
pub struct Store {
    client: Client,
    revisions: Informer<ControllerRevision>,
}

// === impl Store ===

impl Store {
    /// Reads the shared cache; the controller waits until it is complete.
    #[must_use]
    pub fn new(cx: &Context, watches: &mut Watches) -> Self {
        let revisions = cx.informers.of::<ControllerRevision>();
        revisions.add_index(BY_CONTROLLER, by_controller::<ControllerRevision>);
        watches.reads(&revisions);
        Self { client: cx.client.clone(), revisions }
    }

    /// The workload's revisions; those that nobody owns any more and that it selects are adopted.
    pub async fn of<K: Revisioned>(&self, workload: &K) -> Result<Vec<Arc<ControllerRevision>>> {
        let orphans = self.revisions.by_index(BY_CONTROLLER, &format!("{}/", workload.namespace()));
        let candidates = self.revisions.by_index(BY_CONTROLLER, workload.uid()).into_iter().chain(orphans);
        let mut claims = Claims::plan(workload, candidates, |labels| workload.selects(labels));
        claims.owned.append(&mut claims.release);
        claims.execute(&self.client, workload).await
    }

    /// The stored revision of the workload's template; made, or given the highest number, if need be.
    pub async fn current<K: Revisioned>(
        &self,
        workload: &K,
        known: &[Arc<ControllerRevision>],
    ) -> Result<Arc<ControllerRevision>> {
        let api = self.client.namespaced::<ControllerRevision>(workload.namespace());
        match step(workload, known) {
            Step::Current(revision) => Ok(revision),
            Step::Raise(revision, number) => {
                let raised = ControllerRevision { revision: Some(number), ..(*revision).clone() };
                api.update(&raised).await.map(Arc::new)
            }
            Step::Create(number) => {
                let wanted = build(workload, number);
                match api.create(&wanted).await {
                    Err(error) if error.is_already_exists() => {
                        let there = api.get(wanted.name()).await?;
                        if holds(&there, workload) {
                            Ok(Arc::new(there))
                        } else {
                            Err(self.collide(workload, error).await?)
                        }
                    }
                    outcome => outcome.map(Arc::new),
                }
            }
        }
    }

    /// Deletes revisions beyond the limit, none of them `live`.
    pub async fn clear<K: Revisioned>(
        &self,
        workload: &K,
        known: Vec<Arc<ControllerRevision>>,
        live: impl Fn(&ControllerRevision) -> bool,
    ) -> Result<()> {
        let api = self.client.namespaced::<ControllerRevision>(workload.namespace());
        for old in surplus(workload, known, live) {
            match api.delete(old.name(), &exactly(&*old)).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Another template has the same hash: the count moves it, and the next pass finds another name.
    async fn collide<K: Revisioned>(&self, workload: &K, error: Error) -> Result<Error> {
        let told = workload.with_collisions(workload.collisions().unwrap_or_default() + 1);
        self.client.namespaced::<K>(workload.namespace()).update_status(&told).await?;
        Ok(error)
    }
}
