//! What a job asks for, with the server's defaults in place of what is not said.

use std::sync::LazyLock;

use nakhoda_api::kinds::batch::{Job, JobSpec};

/// Who manages jobs that do not say.
const CONTROLLER: &str = "kubernetes.io/job-controller";

/// The spec; the server lets no job be without one.
#[must_use]
pub fn of(job: &Job) -> &JobSpec {
    static NONE: LazyLock<JobSpec> = LazyLock::new(JobSpec::default);
    job.spec.as_ref().unwrap_or(&NONE)
}

/// Whether each pod has an index.
#[must_use]
pub fn is_indexed(job: &Job) -> bool {
    of(job).completion_mode.as_deref() == Some("Indexed")
}

/// Whether the completion mode is one that is known.
#[must_use]
pub fn has_known_mode(job: &Job) -> bool {
    matches!(of(job).completion_mode.as_deref(), None | Some("Indexed" | "NonIndexed"))
}

/// Whether the job must not run now.
#[must_use]
pub fn is_suspended(job: &Job) -> bool {
    of(job).suspend == Some(true)
}

/// Whether a pod is replaced only once it has ended, not while it goes.
#[must_use]
pub fn replaces_failed_only(job: &Job) -> bool {
    of(job).pod_replacement_policy.as_deref() == Some("Failed") || of(job).pod_failure_policy.is_some()
}

/// How many pods run at once.
#[must_use]
pub fn parallelism(job: &Job) -> i32 {
    of(job).parallelism.unwrap_or(1)
}

/// How many indexes there are.
#[must_use]
pub fn completions(job: &Job) -> i32 {
    of(job).completions.unwrap_or_default()
}

/// How many failures there may be.
#[must_use]
pub fn backoff_limit(job: &Job) -> i32 {
    of(job).backoff_limit.unwrap_or(6)
}

/// Whether another controller looks after the job.
#[must_use]
pub fn is_foreign(job: &Job) -> bool {
    of(job).managed_by.as_deref().is_some_and(|m| m != CONTROLLER)
}
