//! Jobs and pods for tests.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::batch::{Job, JobSpec};
use nakhoda_api::kinds::core::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodStatus};
use nakhoda_api::kinds::meta::{ObjectMeta, Time};

use super::pod::{INDEX, TRACKING};

/// A moment.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).expect("in range")
}

/// A job called `pi`.
pub(crate) fn job(parallelism: i32, completions: i32) -> Job {
    let metadata = ObjectMeta {
        name: Some("pi".into()),
        namespace: Some("default".into()),
        uid: Some("job".into()),
        ..ObjectMeta::default()
    };
    let spec =
        JobSpec { parallelism: Some(parallelism), completions: Some(completions), ..JobSpec::default() };
    Job { metadata, spec: Some(spec), status: None }
}

/// The spec of such a job.
pub(crate) fn edit(job: &mut Job) -> &mut JobSpec {
    job.spec.as_mut().expect("a fixture has one")
}

/// A pod that is not counted yet; its UID is its name.
pub(crate) fn pod(name: &str, phase: &str) -> Arc<Pod> {
    let metadata = ObjectMeta {
        name: Some(name.into()),
        namespace: Some("default".into()),
        uid: Some(name.into()),
        finalizers: Some(vec![TRACKING.into()]),
        ..ObjectMeta::default()
    };
    let status = PodStatus { phase: Some(phase.into()), ..PodStatus::default() };
    Arc::new(Pod { metadata, spec: None, status: Some(status) })
}

/// A pod that ended at this second.
pub(crate) fn ended(name: &str, phase: &str, second: i64) -> Arc<Pod> {
    terminated(name, phase, 0, Some(second))
}

/// A pod that failed with this code.
pub(crate) fn exited(name: &str, code: i32) -> Arc<Pod> {
    terminated(name, "Failed", code, None)
}

/// A pod of an index that has failed so often before.
pub(crate) fn indexed(name: &str, phase: &str, index: i32, failures: i32) -> Arc<Pod> {
    let mut pod = (*pod(name, phase)).clone();
    pod.metadata.annotations = Some(
        [
            (INDEX.to_owned(), index.to_string()),
            ("batch.kubernetes.io/job-index-failure-count".to_owned(), failures.to_string()),
        ]
        .into(),
    );
    Arc::new(pod)
}

fn terminated(name: &str, phase: &str, code: i32, second: Option<i64>) -> Arc<Pod> {
    let mut pod = (*pod(name, phase)).clone();
    let end = ContainerStateTerminated {
        exit_code: code,
        finished_at: second.map(|s| Time(at(s))),
        ..ContainerStateTerminated::default()
    };
    let state = ContainerState { terminated: Some(end), ..ContainerState::default() };
    let container = ContainerStatus { name: "main".into(), state: Some(state), ..ContainerStatus::default() };
    pod.status.as_mut().expect("set").container_statuses = Some(vec![container]);
    Arc::new(pod)
}
