//! Telling the runtime new sizes. No memory limit is set below what is used.
//!
//! Absent: removing limits (the API does not let anybody); swap.

use k8s_openapi::api::core::v1::ResourceRequirements;

use super::core::Core;
use super::plan::Resize;
use super::resize::{ALL, told};
use super::{sandbox, spec};
use crate::resources::{self, PodLimits};
use crate::source::Severity;

impl Core {
    /// Tells the runtime the new sizes; whether that went well.
    pub(super) async fn resize(&mut self, changes: &[Resize]) -> bool {
        if self.is_held(ALL) {
            return false;
        }
        let Err(why) = self.actuate(changes).await else {
            self.troubles.remove(ALL);
            return true;
        };
        let known = self.sizing.progress.as_ref().and_then(|p| p.reason.as_deref()) == Some("Error");
        if !known {
            let text = told("Pod resize error", &self.pod, &why);
            self.event(None, Severity::Warning, "ResizeError", text);
        }
        self.progress("Error", &why);
        self.trouble(ALL, None);
        false
    }

    /// The pod's level is the wider of both while its containers change.
    async fn actuate(&mut self, changes: &[Resize]) -> Result<(), String> {
        let pod = self.pod.clone();
        let pod_spec = spec::of(&pod);
        let before = resources::pod(&self.sizing.ledger.actual(pod_spec));
        let after = resources::pod(pod_spec);
        let parent = sandbox::cgroup(&self.host, &pod);
        self.check_memory(changes, before, after).await?;
        let level = |limits: PodLimits| self.host.cgroups.create(&parent, limits).map_err(|error| error.to_string());
        level(before.widest(after))?;
        for Resize { id, name } in changes {
            let Some((_, container)) = spec::container(&pod, name) else { continue };
            let linux = resources::container(&pod, pod_spec, &container, self.host.capacity.memory);
            self.host.cri.update_container(id, linux).await.map_err(|error| error.to_string())?;
            self.sizing.ledger.actuated.insert(name.clone(), container.resources.clone().unwrap_or_default());
        }
        level(after)?;
        self.keep_ledger();
        Ok(())
    }

    /// No limit is set below what is used.
    async fn check_memory(&self, changes: &[Resize], before: PodLimits, after: PodLimits) -> Result<(), String> {
        let limits = changes.iter().filter_map(|change| {
            let (_, container) = spec::container(&self.pod, &change.name)?;
            let limit = |r: Option<&ResourceRequirements>| {
                resources::of(r.and_then(|r| r.limits.as_ref()), "memory").map(resources::whole)
            };
            let new = limit(container.resources.as_ref())?;
            let old = limit(self.sizing.ledger.actuated.get(&change.name));
            old.is_none_or(|old| new < old).then_some((change, new))
        });
        let lower: Vec<(&Resize, i64)> = limits.collect();
        let pod_limit = after.memory.filter(|new| before.memory.is_none_or(|old| *new < old));
        if lower.is_empty() && pod_limit.is_none() {
            return Ok(());
        }
        let stats = self.host.cri.container_stats().await;
        let stats =
            stats.map_err(|_| format!("unable to read memory usage for pod {:?}", spec::full_name(&self.pod)))?;
        let used = |id: &str| {
            let found = stats.iter().find(|s| s.attributes.as_ref().is_some_and(|a| a.id == id))?;
            found.memory.as_ref()?.usage_bytes.as_ref().and_then(|v| i64::try_from(v.value).ok())
        };
        let mut faults = Vec::new();
        if let Some(limit) = pod_limit {
            let running = self.observed.each().filter(|seen| seen.is_running());
            let sum: i64 = running.filter_map(|seen| used(&seen.status.id)).sum();
            if sum >= limit {
                faults.push(format!("attempting to set pod memory limit ({limit}) below current usage ({sum})"));
            }
        }
        for (Resize { id, name }, limit) in lower {
            match used(id) {
                None => faults.push(format!("missing container {name:?} memory usage")),
                Some(used) if used >= limit => faults.push(format!(
                    "attempting to set container {name:?} memory limit ({limit}) below current usage ({used})"
                )),
                Some(_) => {}
            }
        }
        match faults.as_slice() {
            [] => Ok(()),
            [one] => Err(format!("cannot decrease memory limits: {one}")),
            many => Err(format!("cannot decrease memory limits: [{}]", many.join(", "))),
        }
    }
}
