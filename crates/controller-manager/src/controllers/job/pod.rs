//! The pods of a job: how they are made, and what they say about how they ended.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::{
    Container, ContainerStatus, EnvVar, EnvVarSource, ObjectFieldSelector, Pod, PodSpec, PodStatus,
};
use nakhoda_client::Resource;

use super::spec::{self, is_indexed, replaces_failed_only};
use crate::pod_control::from_template;
use crate::pods::{condition, phase};

/// The finalizer of pods that are not counted yet.
pub const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// The annotation and label with a pod's index.
pub const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// How often the index has failed before.
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// How often it has failed in ways that do not count.
const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// The variable with the index.
const VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// The longest prefix of a generated name.
const LONGEST_PREFIX: usize = 58;

/// How often an index has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Those that count.
    pub counted: i32,
    /// Those that do not.
    pub ignored: i32,
}

/// Whether the pod waits to be counted.
#[must_use]
pub fn is_tracked(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|f| f == TRACKING)
}

/// The pod's index, if it has one that can be read.
#[must_use]
pub fn index(pod: &Pod) -> Option<i32> {
    let text = pod.metadata.annotations.as_ref()?.get(INDEX)?;
    text.parse().ok().filter(|i| *i >= 0)
}

/// The failures of the pod's index before this pod.
#[must_use]
pub fn failures(pod: &Pod) -> Failures {
    let read = |name: &str| {
        let text = pod.metadata.annotations.as_ref().and_then(|a| a.get(name));
        text.and_then(|t| t.parse::<i32>().ok()).unwrap_or_default().max(0)
    };
    Failures { counted: read(FAILURES), ignored: read(IGNORED) }
}

/// Whether the pod counts as failed: also one that is going, unless the job waits until it has gone.
#[must_use]
pub fn has_failed(job: &Job, pod: &Pod) -> bool {
    let going = pod.is_terminating() && phase(pod) != "Succeeded";
    phase(pod) == "Failed" || (going && !replaces_failed_only(job))
}

/// When the pod ended, as well as it can be told.
#[must_use]
pub fn finished_at(pod: &Pod) -> Timestamp {
    let by_ready = || {
        let ready = condition(pod, "Ready").filter(|c| c.status == "False")?;
        ready.last_transition_time.as_ref().map(|t| t.0)
    };
    let by_deletion = || {
        let grace = SignedDuration::from_secs(pod.metadata.deletion_grace_period_seconds.unwrap_or_default());
        pod.metadata.deletion_timestamp.as_ref().map(|t| t.0 - grace)
    };
    let made = || pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    by_containers(pod).or_else(by_ready).or_else(by_deletion).or_else(made).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The pod to make for an index, or for none.
#[must_use]
pub fn build(job: &Job, index: Option<i32>, failures: Option<Failures>) -> Pod {
    let mut pod = from_template(&spec::of(job).template, job);
    let finalizers = pod.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|f| f == TRACKING) {
        finalizers.push(TRACKING.into());
    }
    let Some(index) = index.filter(|_| is_indexed(job)) else { return pod };
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(INDEX.into(), index.to_string());
    if let Some(failures) = failures {
        annotations.insert(FAILURES.into(), failures.counted.to_string());
        annotations.extend((failures.ignored > 0).then(|| (IGNORED.into(), failures.ignored.to_string())));
    }
    pod.metadata.labels.get_or_insert_default().insert(INDEX.into(), index.to_string());
    pod.metadata.generate_name = Some(prefix(job.name(), index));
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(format!("{}-{index}", job.name()));
    spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()).for_each(tell_index);
    pod
}

fn prefix(job: &str, index: i32) -> String {
    let suffix = format!("-{index}-");
    let kept = job.len().min(LONGEST_PREFIX - suffix.len());
    format!("{}{suffix}", &job[..kept])
}

fn tell_index(container: &mut Container) {
    let env = container.env.get_or_insert_default();
    if env.iter().any(|v| v.name == VARIABLE) {
        return;
    }
    let field = ObjectFieldSelector { field_path: format!("metadata.labels['{INDEX}']"), api_version: None };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    env.push(EnvVar { name: VARIABLE.into(), value: None, value_from: Some(source) });
}

/// The end of the last container, sidecars included, if all have ended.
fn by_containers(pod: &Pod) -> Option<Timestamp> {
    let (status, spec) = (pod.status.as_ref()?, pod.spec.as_ref());
    let mut last = None;
    for container in status.container_statuses.iter().flatten().chain(sidecars(spec, status)) {
        let ended = container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref()?.0;
        last = last.max(Some(ended));
    }
    last
}

fn sidecars<'a>(spec: Option<&'a PodSpec>, status: &'a PodStatus) -> impl Iterator<Item = &'a ContainerStatus> {
    let always = move |name: &str| {
        let mut inits = spec.iter().flat_map(|s| s.init_containers.iter().flatten());
        inits.any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"))
    };
    status.init_container_statuses.iter().flatten().filter(move |c| always(&c.name))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{edit, job, pod};
    use super::*;

    #[test]
    fn a_pod_of_an_index_carries_it_everywhere() {
        let mut job = job(2, 3);
        edit(&mut job).completion_mode = Some("Indexed".into());
        let spec = PodSpec { containers: vec![Container::default()], ..PodSpec::default() };
        edit(&mut job).template.spec = Some(spec);
        let made = build(&job, Some(2), Some(Failures { counted: 1, ignored: 0 }));
        assert_eq!((index(&made), is_tracked(&made)), (Some(2), true));
        assert_eq!(failures(&made), Failures { counted: 1, ignored: 0 });
        assert_eq!(made.metadata.generate_name.as_deref(), Some("pi-2-"));
        let spec = made.spec.expect("set");
        assert_eq!(spec.hostname.as_deref(), Some("pi-2"));
        assert_eq!(spec.containers[0].env.as_ref().expect("set")[0].name, VARIABLE);
        assert_eq!(prefix(&"x".repeat(63), 12).len(), LONGEST_PREFIX);
    }

    #[test]
    fn a_going_pod_has_failed_unless_the_job_waits_until_it_has_gone() {
        let mut job = job(1, 1);
        let mut going = (*pod("a", "Running")).clone();
        going.metadata.deletion_timestamp = Some(nakhoda_api::kinds::meta::Time(Timestamp::UNIX_EPOCH));
        assert!(has_failed(&job, &going) && !has_failed(&job, &pod("b", "Running")));
        edit(&mut job).pod_replacement_policy = Some("Failed".into());
        assert!(!has_failed(&job, &going) && has_failed(&job, &pod("c", "Failed")));
    }
}
