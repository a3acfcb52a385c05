//! Doing what the plan says, one step at a time. What fails is told, noted, and tried again later.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Container;

use super::core::Core;
use super::observed::Seen;
use super::plan::{self, Action};
use super::sizes::Change;
use super::spec::{self, Role};
use super::status::Waiting;
use super::{container, hook, sandbox};
use crate::cri::{self, v1};
use crate::image::pull::Wish;
use crate::probe::check::Target;
use crate::source::Severity;
use crate::volume;

/// How often the content of volumes is looked at without a hint.
const VOLUMES: SignedDuration = SignedDuration::from_secs(60);

impl Core {
    /// Takes a step; whether anything has changed by it.
    pub(super) async fn perform(&mut self, action: Action) -> bool {
        match action {
            Action::StopSandbox(id) => match self.host.cri.stop_sandbox(&id).await {
                Ok(()) => true,
                Err(error) => {
                    self.failed("", Severity::Warning, "FailedKillPod", format!("error killing pod: {error}"), None)
                }
            },
            Action::CreateSandbox { attempt } => self.create_sandbox(attempt).await,
            Action::Kill { id, name, why, grace } => self.kill(&id, &name, why, grace).await,
            Action::Resize(changes) => self.resize(&changes).await,
            Action::Start { name, role, restarts } => {
                if self.is_held(&name) {
                    return false;
                }
                let pod = self.pod.clone();
                let Some((_, container)) = spec::container(&pod, &name) else { return false };
                match self.start(&container, role, restarts).await {
                    Ok(()) => {
                        self.troubles.remove(&name);
                        true
                    }
                    Err(waiting) => {
                        tracing::info!(
                            pod = spec::full_name(&pod),
                            container = name,
                            reason = waiting.reason,
                            waiting.message,
                            "not started"
                        );
                        self.trouble(&name, Some(waiting));
                        false
                    }
                }
            }
        }
    }

    /// Brings the pod's volumes to their directories; false if one is not there.
    pub(super) async fn set_up_volumes(&mut self) -> bool {
        let pod = self.pod.clone();
        let base = self.host.paths.volumes(spec::uid(&pod));
        let ips = self.ips();
        for wanted in spec::of(&pod).volumes.iter().flatten() {
            let facts = self.host.facts(&ips);
            let mut setup = volume::Setup {
                cluster: &*self.host.cluster,
                pod: &pod,
                volume: wanted,
                dir: base.clone(),
                facts: &facts,
            };
            match volume::set_up(&mut setup, &base).await {
                Ok(path) => {
                    self.volumes.insert(wanted.name.clone(), path);
                }
                Err(error) => {
                    let text = format!("MountVolume.SetUp failed for volume {:?} : {error}", wanted.name);
                    return self.failed("", Severity::Warning, "FailedMount", text, None);
                }
            }
        }
        self.volumes_due = Timestamp::now() + VOLUMES;
        true
    }

    /// Removes what nobody asks for any more: all but the last two runs of each container, and sandboxes
    /// that hold none.
    pub(super) async fn tidy(&self) {
        let mut old: Vec<&Seen> = Vec::new();
        for (_, container) in spec::containers(spec::of(&self.pod)) {
            old.extend(self.observed.all(&container.name).iter().skip(2).filter(|seen| seen.is_exited()));
        }
        for seen in &old {
            self.note_error(self.host.cri.remove_container(&seen.status.id).await);
            for path in crate::log::rotate::aside_of(seen.status.log_path.as_ref()).into_iter().chain([seen
                .status
                .log_path
                .clone()
                .into()])
            {
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::debug!(%error, log = %path.display(), "log was gone");
                }
            }
        }
        for sandbox in self.observed.sandboxes.iter().skip(1).filter(|s| !s.ready) {
            let held = |seen: &Seen| seen.sandbox == sandbox.id && !old.iter().any(|o| o.status.id == seen.status.id);
            if !self.observed.each().any(held) {
                self.note_error(self.host.cri.remove_sandbox(&sandbox.id).await);
            }
        }
    }

    async fn create_sandbox(&mut self, attempt: u32) -> bool {
        if self.is_held("") {
            return false;
        }
        let pod = self.pod.clone();
        if attempt > 0 {
            self.event(
                None,
                Severity::Normal,
                "SandboxChanged",
                "Pod sandbox changed, it will be killed and re-created.".into(),
            );
        }
        match sandbox::create(&self.host, &pod, attempt).await {
            Ok(_) => {
                self.troubles.remove("");
                true
            }
            Err(error) => {
                let text = format!("Failed to create pod sandbox: {error}");
                self.failed("", Severity::Warning, "FailedCreatePodSandBox", text, None)
            }
        }
    }

    async fn kill(&mut self, id: &str, name: &str, why: String, grace: Option<i64>) -> bool {
        let pod = self.pod.clone();
        let Some((role, container)) = spec::container(&pod, name) else { return false };
        let grace = grace.or(spec::of(&pod).termination_grace_period_seconds).unwrap_or(30);
        let deadline = Timestamp::now() + SignedDuration::from_secs(grace);
        // One whose size needs a restart runs again whatever its policy says of an end.
        if self.sizing.ledger.change(&container) == Change::Restart {
            self.sizing.stopped.insert(id.into());
        }
        match self.stop(id, role, &container, why, deadline).await {
            Ok(()) => true,
            Err(error) => {
                self.failed(name, Severity::Warning, "FailedKillPod", format!("error killing pod: {error}"), None)
            }
        }
    }

    /// Image, container, start, hook.
    async fn start(&mut self, container: &Container, role: Role, restarts: i32) -> Result<(), Waiting> {
        let pod = self.pod.clone();
        let name = container.name.as_str();
        self.clear_unborn(name).await;
        let observed = self.observed.clone();
        let Some(place) = observed.sandbox() else { return Err(waiting("ContainerCreating", String::new())) };
        let sandbox = sandbox::config(&self.host, &pod, place.attempt);
        let field = spec::field(role, name);
        let wish = Wish { cluster: &*self.host.cluster, pod: &pod, container, field: &field, sandbox: &sandbox };
        let image = self.host.puller.ensure(&wish).await?;
        let ips = self.ips();
        let target = self.target(name).inspect_err(|waiting| {
            self.event(Some((role, name)), Severity::Warning, "Failed", format!("Error: {}", waiting.message));
        })?;
        let parts = container::Parts {
            host: &self.host,
            target,
            pod: &pod,
            container,
            restarts,
            image: &image,
            volumes: &self.volumes,
            ips: &ips,
        };
        let config = container::config(&parts).await.map_err(|error| {
            self.event(Some((role, name)), Severity::Warning, "Failed", format!("Error: {error}"));
            waiting("CreateContainerConfigError", error.to_string())
        })?;
        if let Some(seen) = observed.newest(name).filter(|seen| seen.is_exited()) {
            self.backoff.next(&plan::key(container), plan::finished(seen), Timestamp::now());
        }
        let request = v1::CreateContainerRequest {
            pod_sandbox_id: place.id.clone(),
            config: Some(config),
            sandbox_config: Some(sandbox),
        };
        let id = self.host.cri.create_container(request).await.map_err(|error| {
            self.event(Some((role, name)), Severity::Warning, "Failed", format!("Error: {}", error.status.message()));
            waiting("CreateContainerError", error.status.message().into())
        })?;
        self.host.owners.note(&id, spec::uid(&pod));
        self.note_size(container, role);
        self.event(Some((role, name)), Severity::Normal, "Created", "Container created".into());
        self.host.cri.start_container(&id).await.map_err(|error| {
            self.event(Some((role, name)), Severity::Warning, "Failed", format!("Error: {}", error.status.message()));
            waiting("RunContainerError", error.status.message().into())
        })?;
        self.event(Some((role, name)), Severity::Normal, "Started", "Container started".into());
        self.post_start(container, role, id, &ips).await
    }

    /// The container whose processes one that joined wants to see, by its id.
    fn target(&self, name: &str) -> Result<Option<&str>, Waiting> {
        let joined = spec::ephemeral(spec::of(&self.pod), name);
        let wanted = joined.and_then(|c| c.target_container_name.as_deref()).filter(|name| !name.is_empty());
        let Some(wanted) = wanted else { return Ok(None) };
        let seen = self.observed.newest(wanted).map(|seen| seen.status.id.as_str());
        let missing = || waiting("CreateContainerConfigError", format!("unable to find target container {wanted}"));
        seen.map(Some).ok_or_else(missing)
    }

    async fn post_start(
        &mut self,
        container: &Container,
        role: Role,
        id: String,
        ips: &[String],
    ) -> Result<(), Waiting> {
        let Some(handler) = container.lifecycle.as_ref().and_then(|l| l.post_start.as_ref()) else { return Ok(()) };
        let target = Target { container: container.clone(), id, ip: ips.first().cloned().unwrap_or_default() };
        let outcome = hook::run(&self.host.cri, &self.pod, &target, handler).await;
        let Err(text) = outcome else { return Ok(()) };
        self.event(
            Some((role, &container.name)),
            Severity::Warning,
            "FailedPostStartHook",
            "PostStartHook failed".into(),
        );
        self.kill(&target.id, &container.name, "FailedPostStartHook".into(), None).await;
        Err(waiting("PostStartHookError", text))
    }

    /// A container that was made and never started would keep its name from the next one.
    async fn clear_unborn(&self, name: &str) {
        for seen in self.observed.all(name).iter().filter(|seen| !seen.is_running() && !seen.is_exited()) {
            self.note_error(self.host.cri.remove_container(&seen.status.id).await);
        }
    }

    pub(super) fn failed(
        &mut self,
        name: &str,
        severity: Severity,
        reason: &str,
        text: String,
        waiting: Option<Waiting>,
    ) -> bool {
        tracing::warn!(pod = spec::full_name(&self.pod), reason, text, "will be tried again");
        self.event(None, severity, reason, text);
        self.trouble(name, waiting);
        false
    }

    pub(super) fn note_error(&self, outcome: Result<(), cri::Error>) {
        if let Err(error) = outcome {
            tracing::debug!(%error, pod = spec::full_name(&self.pod), "left for later");
        }
    }
}

fn waiting(reason: &str, message: String) -> Waiting {
    Waiting { reason: reason.into(), message }
}
