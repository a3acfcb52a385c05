//! Ending a pod within its grace: hooks, stop signals, the kill, and then all that it had on the node.
//!
//! Before the first signal the node's proxy is asked whether it has applied rules without this pod as a
//! ready endpoint, so that a rollout fails no request. Where no proxy answers nothing is waited for.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Container;

use super::core::Core;
use super::observed::Seen;
use super::spec::{self, Role};
use super::state::Ending;
use super::{hook, sandbox, sub_path};
use crate::cri;
use crate::probe::check::Target;
use crate::probe::http;
use crate::source::Severity;
use crate::volume;

/// The least time between a stop signal and the kill, in seconds.
const LEAST: i64 = 2;
/// Where the node's proxy answers.
const PROXY: u16 = 10256;
/// The longest wait for the proxy.
const WITHDRAWAL: Duration = Duration::from_secs(2);
/// How often the proxy is asked.
const LOOK: Duration = Duration::from_millis(20);

impl Core {
    /// Stops everything that runs; may be begun again with an earlier deadline.
    pub(super) async fn terminate(&mut self, ending: &Ending) -> Result<(), cri::Error> {
        self.keeper.calm();
        self.look().await?;
        if self.observed.each().any(Seen::is_running) && self.stopping.is_empty() {
            self.withdrawn().await;
        }
        self.stop_some(ending, |role| role != Role::Sidecar).await?;
        self.stop_some(ending, |role| role == Role::Sidecar).await?;
        for sandbox in &self.observed.sandboxes {
            self.host.cri.stop_sandbox(&sandbox.id).await?;
        }
        self.look().await
    }

    /// Sends the stop to one container and waits for its end.
    pub(super) async fn stop(
        &mut self,
        id: &str,
        role: Role,
        container: &Container,
        why: String,
        deadline: Timestamp,
    ) -> Result<(), cri::Error> {
        if self.stopping.insert(id.into()) {
            self.event(Some((role, &container.name)), Severity::Normal, "Killing", why);
            self.pre_stop(id, role, container, deadline).await;
        }
        self.host.cri.stop_container(id, left(deadline).max(LEAST)).await
    }

    /// Gives back what the pod had: volumes and cgroup. Its dead containers and logs stay to be read.
    pub(super) fn release(&self) {
        let uid = spec::uid(&self.pod);
        self.host.allocations.release(uid);
        if let Err(error) = sub_path::release(&self.host.paths.sub_paths(uid)) {
            tracing::warn!(%error, pod = spec::full_name(&self.pod), "paths of volumes stay mounted");
        }
        if let Err(error) = volume::tear_down(&self.host.paths.volumes(uid)) {
            tracing::warn!(%error, pod = spec::full_name(&self.pod), "volumes stay");
        }
        self.host.cgroups.remove(&sandbox::cgroup(&self.host, &self.pod));
    }

    /// Removes every trace of the pod.
    pub(super) async fn erase(&mut self) -> Result<(), cri::Error> {
        self.look().await?;
        for seen in self.observed.each() {
            self.host.cri.remove_container(&seen.status.id).await?;
        }
        for sandbox in &self.observed.sandboxes {
            self.host.cri.stop_sandbox(&sandbox.id).await?;
            self.host.cri.remove_sandbox(&sandbox.id).await?;
        }
        self.release();
        let uid = spec::uid(&self.pod);
        for dir in [self.host.paths.pod(uid), self.host.paths.pod_logs(&self.pod)] {
            match std::fs::remove_dir_all(&dir) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, directory = %dir.display(), "a pod's directory stays");
                }
                _ => {}
            }
        }
        self.host.owners.forget(uid);
        Ok(())
    }

    /// Resolves once nobody is sent to this pod any more, or after [`WITHDRAWAL`].
    async fn withdrawn(&self) {
        let address = format!("http://127.0.0.1:{PROXY}/withdrawn/{}", spec::uid(&self.pod));
        let request = http::Request { url: address, headers: Vec::new(), agent: "nakhoda-kubelet" };
        let asking = async {
            while let Ok(http::Answer { code: 200, body }) = http::get(&request, WITHDRAWAL).await {
                if body != "false" {
                    return;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(WITHDRAWAL, Box::pin(asking)).await.is_err() {
            tracing::info!(
                pod = spec::full_name(&self.pod),
                "the proxy still sends connections; stopping nevertheless"
            );
        }
    }

    /// Stops those that run and are of such a role: apps together, sidecars one after the other, last first.
    async fn stop_some(&mut self, ending: &Ending, of: fn(Role) -> bool) -> Result<(), cri::Error> {
        let running: Vec<Seen> = self.observed.each().filter(|seen| seen.is_running()).cloned().collect();
        let mut chosen: Vec<(Role, Container, String)> = Vec::new();
        for seen in running {
            let name = seen.status.metadata.as_ref().map(|m| m.name.clone()).unwrap_or_default();
            // A pod that was gone before this kubelet began has no specification any more.
            let known = spec::container(&self.pod, &name).map(|(role, c)| (role, c.into_owned()));
            let (role, container) = known.unwrap_or((Role::App, Container { name, ..Container::default() }));
            if of(role) {
                chosen.push((role, container, seen.status.id));
            }
        }
        let order = |name: &str| spec::inits(spec::of(&self.pod)).iter().position(|c| c.name == name);
        chosen.sort_by_key(|(_, container, _)| std::cmp::Reverse(order(&container.name)));
        let together = chosen.iter().all(|(role, _, _)| *role != Role::Sidecar);
        let fresh: Vec<bool> = chosen.iter().map(|(_, _, id)| self.stopping.insert(id.clone())).collect();
        let this = &*self;
        let mut stops = chosen.iter().zip(fresh).map(|((role, container, id), fresh)| async move {
            if fresh {
                let why = format!("Stopping container {}", container.name);
                this.event(Some((*role, &container.name)), Severity::Normal, "Killing", why);
                this.pre_stop(id, *role, container, ending.deadline).await;
            }
            this.host.cri.stop_container(id, left(ending.deadline).max(LEAST)).await
        });
        if together {
            let mut stops: FuturesUnordered<_> = stops.collect();
            while let Some(stopped) = stops.next().await {
                stopped?;
            }
        } else {
            for stop in stops.by_ref() {
                stop.await?;
            }
        }
        Ok(())
    }

    async fn pre_stop(&self, id: &str, role: Role, container: &Container, deadline: Timestamp) {
        let Some(handler) = container.lifecycle.as_ref().and_then(|l| l.pre_stop.as_ref()) else { return };
        let left = left(deadline);
        if left <= 0 {
            return;
        }
        let target =
            Target { container: container.clone(), id: id.into(), ip: self.ips().first().cloned().unwrap_or_default() };
        let hook = hook::run(&self.host.cri, &self.pod, &target, handler);
        match tokio::time::timeout(Duration::from_secs(left.unsigned_abs()), hook).await {
            Ok(Err(text)) => {
                tracing::info!(pod = spec::full_name(&self.pod), text, "preStop hook failed");
                self.event(
                    Some((role, &container.name)),
                    Severity::Warning,
                    "FailedPreStopHook",
                    "PreStopHook failed".into(),
                );
            }
            Ok(Ok(())) => {}
            Err(_) => tracing::info!(
                pod = spec::full_name(&self.pod),
                container = container.name,
                "preStop hook took all the grace"
            ),
        }
    }
}

/// Whole seconds until then.
fn left(deadline: Timestamp) -> i64 {
    deadline.duration_since(Timestamp::now()).as_secs()
}
