//! Deletes jobs that have ended, so many seconds after their end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::meta::{DeleteOptions, Preconditions};
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use super::job::condition::{COMPLETE, FAILED, holding};
use super::job::spec;
use crate::context::{Context, Watches};

const NAME: &str = "ttl_jobs_to_delete";

/// Starts the controller.
pub fn start(cx: &Context) {
    let jobs = cx.informers.of::<Job>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&jobs, |job: &Job| if until_gone(job, Timestamp::UNIX_EPOCH).is_some() { vec![Key::of(job)] } else { vec![] });
    watches.run(5, Ttl { client: cx.client.clone(), jobs });
}

struct Ttl {
    client: Client,
    jobs: Informer<Job>,
}

// === impl Ttl ===

impl Reconcile for Ttl {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The job is read live before it goes: its seconds may have been raised meanwhile.
    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(wait) = self.jobs.get(key).and_then(|job| until_gone(&job, crate::clock::now())) else {
            return Ok(Outcome::Done);
        };
        if wait.is_positive() {
            return Ok(after(wait));
        }
        let api = self.client.namespaced::<Job>(&key.namespace);
        let fresh = match api.get(&key.name).await {
            Err(error) if error.is_not_found() => return Ok(Outcome::Done),
            outcome => outcome?,
        };
        match until_gone(&fresh, crate::clock::now()) {
            None => return Ok(Outcome::Done),
            Some(wait) if wait.is_positive() => return Ok(after(wait)),
            Some(_) => {}
        }
        match api.delete(&key.name, &options(&fresh)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

/// How long a job that has ended stays; nothing if that is not limited, or if it is going.
fn until_gone(job: &Job, now: Timestamp) -> Option<SignedDuration> {
    let ttl = SignedDuration::from_secs(spec::of(job).ttl_seconds_after_finished?.into());
    let end = holding(job, COMPLETE).or_else(|| holding(job, FAILED)).filter(|_| !job.is_terminating())?;
    Some(ttl - now.duration_since(end.last_transition_time.as_ref()?.0))
}

/// This job, as it was read, and its pods before it.
fn options(job: &Job) -> DeleteOptions {
    let meta = &job.metadata;
    let preconditions = Preconditions { uid: meta.uid.clone(), resource_version: meta.resource_version.clone() };
    DeleteOptions {
        propagation_policy: Some("Foreground".into()),
        preconditions: Some(preconditions),
        ..DeleteOptions::default()
    }
}

fn after(wait: SignedDuration) -> Outcome {
    Outcome::After(Duration::try_from(wait).unwrap_or_default() + Duration::from_millis(10))
}

#[cfg(test)]
mod tests {
    use super::super::job::condition::new;
    use super::super::job::fixtures::{at, edit, job};
    use super::*;
    use nakhoda_api::kinds::batch::JobStatus;

    #[test]
    fn only_an_ended_job_with_a_limit_goes() {
        let mut job = job(1, 1);
        assert_eq!(until_gone(&job, at(0)), None);
        edit(&mut job).ttl_seconds_after_finished = Some(10);
        assert_eq!(until_gone(&job, at(0)), None);
        let ended = vec![new(COMPLETE, "", "", at(0))];
        job.status = Some(JobStatus { conditions: Some(ended), ..JobStatus::default() });
        assert_eq!(until_gone(&job, at(4)), Some(SignedDuration::from_secs(6)));
        edit(&mut job).ttl_seconds_after_finished = Some(0);
        assert_eq!(until_gone(&job, at(0)), Some(SignedDuration::ZERO));
    }
}
