//! One task for each pod. It takes notes from its inbox, and brings the pod one step further in its
//! life (`state`). Work that takes long is dropped when the pod's end is asked for.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::mpsc;

use super::core::Core;
use super::plan::Plan;
use super::spec;
use super::state::{Ending, Failure, State};
use crate::eviction::REASON;
use crate::eviction::plan::Eviction;
use crate::source::Severity;

/// After a failed call to the runtime.
const AGAIN: Duration = Duration::from_secs(1);
/// A pod with nothing to wait for is woken by notes alone.
const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// More rounds in a row than any pod needs.
const ROUNDS: usize = 200;

/// Something that concerns a pod.
#[derive(Clone, Debug)]
pub enum Note {
    /// Its newest version.
    Pod(Arc<Pod>),
    /// The API has it no more.
    Gone,
    /// A container of it has ended.
    Exited(String),
    /// Images came or went.
    Images,
    /// What its volumes show may have changed.
    Refresh,
    /// The node cannot have it any more.
    Evict(Arc<Eviction>),
    /// Anything else.
    Look,
}

/// Wakes a pod's worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Waker {
    send: mpsc::UnboundedSender<Note>,
}

/// A worker's inbox, and what was taken from it and not yet looked at.
pub(super) struct Inbox {
    receive: mpsc::UnboundedReceiver<Note>,
    pending: Vec<Note>,
    deadline: Option<Timestamp>,
    evicted: Option<Arc<Eviction>>,
    gone: bool,
}

/// How a round ended.
enum Step {
    /// Nothing to do before this has passed, without a note.
    Wait(Duration),
    /// Its containers have run to their end.
    Over,
}

// === impl Waker ===

impl Waker {
    /// A waker and the inbox that it fills.
    pub(super) fn new() -> (Self, Inbox) {
        let (send, receive) = mpsc::unbounded_channel();
        (Self { send }, Inbox { receive, pending: Vec::new(), deadline: None, evicted: None, gone: false })
    }

    /// Sends a note; a worker that has ended needs none.
    pub fn note(&self, note: Note) {
        if self.send.send(note).is_err() {
            tracing::trace!("the worker has ended");
        }
    }

    /// Makes the worker look at its pod again.
    pub fn look(&self) {
        self.note(Note::Look);
    }
}

// === impl Inbox ===

impl Inbox {
    /// Resolves when the pod's end is asked for, or asked for earlier; keeps all other notes.
    async fn urgent(&mut self) {
        while let Some(note) = self.receive.recv().await {
            let urgent = match &note {
                Note::Gone => !self.gone,
                Note::Pod(pod) => deleted_by(pod).is_some_and(|at| self.deadline.is_none_or(|known| at < known)),
                Note::Evict(_) => self.evicted.is_none(),
                Note::Exited(_) | Note::Images | Note::Refresh | Note::Look => false,
            };
            self.pending.push(note);
            if urgent {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Resolves with the next note or after a time.
    async fn wait(&mut self, time: Duration) {
        if self.pending.is_empty()
            && let Ok(Some(note)) = tokio::time::timeout(time, self.receive.recv()).await
        {
            self.pending.push(note);
        }
    }

    /// Applies all notes that are there.
    fn drain(&mut self, core: &mut Core) {
        while let Ok(note) = self.receive.try_recv() {
            self.pending.push(note);
        }
        for note in std::mem::take(&mut self.pending) {
            match note {
                Note::Pod(pod) => {
                    self.deadline = deleted_by(&pod).or(self.deadline);
                    core.renew(&pod);
                }
                Note::Gone => self.gone = true,
                Note::Exited(id) => drop(core.ends.insert(id)),
                Note::Images => core.retry(),
                Note::Refresh => {
                    core.volumes_due = Timestamp::UNIX_EPOCH;
                    core.retry();
                }
                Note::Evict(eviction) => self.evicted = Some(eviction),
                Note::Look => {}
            }
        }
    }

    /// Why and until when the pod ends, if it does.
    fn ending(&self, pod: &Pod) -> Option<Ending> {
        let now = Timestamp::now();
        let evicted = self.evicted.as_ref().map(|eviction| Ending {
            deadline: now + SignedDuration::from_secs(eviction.grace),
            failure: Some(Failure {
                reason: REASON.into(),
                message: eviction.message.clone(),
                is_disruption: eviction.is_disruption,
            }),
        });
        ending(pod, self.gone, now).or(evicted)
    }
}

/// Lives a pod's life to its end.
pub(super) async fn run(mut core: Core, mut inbox: Inbox) {
    let mut state = State::Syncing;
    loop {
        inbox.drain(&mut core);
        state = match state {
            State::Syncing => match inbox.ending(&core.pod) {
                Some(ending) => State::Terminating(ending),
                None if let Err(failure) = core.admit() => {
                    core.reject(&failure);
                    State::Terminated
                }
                None => tokio::select! {
                    step = core.sync() => match step {
                        Step::Wait(time) => {
                            inbox.wait(time).await;
                            State::Syncing
                        }
                        Step::Over => State::Terminating(Ending { deadline: grace(&core.pod, Timestamp::now()), failure: None }),
                    },
                    () = inbox.urgent() => State::Syncing,
                },
            },
            State::Terminating(mut current) => {
                if let Some(newer) = ending(&core.pod, inbox.gone, Timestamp::now()) {
                    current.deadline = current.deadline.min(newer.deadline);
                }
                tokio::select! {
                    done = core.end(&current) => match done {
                        true => State::Terminated,
                        false => {
                            inbox.wait(AGAIN).await;
                            State::Terminating(current)
                        }
                    },
                    () = inbox.urgent() => State::Terminating(current),
                }
            }
            State::Terminated if inbox.gone => match core.erase().await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, pod = spec::full_name(&core.pod), "not erased yet");
                    inbox.wait(AGAIN).await;
                    State::Terminated
                }
            },
            State::Terminated => {
                if spec::is_deleted(&core.pod) {
                    core.host.cluster.remove(&core.pod);
                }
                inbox.wait(Duration::from_secs(3600)).await;
                State::Terminated
            }
        };
    }
}

/// When and why a pod ends, if it does.
fn ending(pod: &Pod, gone: bool, now: Timestamp) -> Option<Ending> {
    if let Some(at) = deleted_by(pod) {
        let whole = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
        // The clock of the API server may be another: more than the whole grace is nobody's due.
        return Some(Ending { deadline: at.min(now + SignedDuration::from_secs(whole)), failure: None });
    }
    let deadline = grace(pod, now);
    if gone || spec::is_terminal(pod.status.as_ref().and_then(|s| s.phase.as_deref())) {
        return Some(Ending { deadline, failure: None });
    }
    let limit = spec::of(pod).active_deadline_seconds?;
    let since = pod.status.as_ref().and_then(|s| s.start_time.as_ref())?.0;
    (now.duration_since(since).as_secs() >= limit).then(|| Ending {
        deadline,
        failure: Some(Failure {
            reason: "DeadlineExceeded".into(),
            message: "Pod was active on the node longer than the specified deadline".into(),
            is_disruption: false,
        }),
    })
}

fn deleted_by(pod: &Pod) -> Option<Timestamp> {
    pod.metadata.deletion_timestamp.as_ref().map(|time| time.0)
}

fn grace(pod: &Pod, now: Timestamp) -> Timestamp {
    now + SignedDuration::from_secs(spec::of(pod).termination_grace_period_seconds.unwrap_or(30))
}

impl Core {
    /// Rounds of looking, deciding, telling and doing until nothing is left to do.
    async fn sync(&mut self) -> Step {
        for _ in 0..ROUNDS {
            self.allocate();
            if let Err(error) = self.look().await {
                tracing::warn!(%error, pod = spec::full_name(&self.pod), "the runtime does not answer");
                return Step::Wait(AGAIN);
            }
            let pod = self.pod.clone();
            self.keeper.follow(&pod, &self.observed);
            self.settle();
            let plan = self.plan();
            let status = self.status(&plan, false, None);
            if spec::is_terminal(status.phase.as_deref()) {
                return Step::Over;
            }
            self.tell(status);
            self.announce(&plan);
            let due = self.volumes_due <= Timestamp::now();
            if (due || !plan.actions.is_empty()) && !self.is_held("") && (due || self.volumes.is_empty()) {
                let begun = std::time::Instant::now();
                let set_up = self.set_up_volumes().await;
                tracing::debug!(pod = spec::name(&pod), took = ?begun.elapsed(), "volumes");
                if !set_up && !plan.actions.is_empty() {
                    return self.pause(&plan);
                }
            }
            if plan.actions.is_empty() {
                self.tidy().await;
                return self.pause(&plan);
            }
            if self.is_held("") {
                return self.pause(&plan);
            }
            let mut progress = false;
            for action in plan.actions.clone() {
                let (begun, what) = (std::time::Instant::now(), format!("{action:?}"));
                progress |= Box::pin(self.perform(action)).await;
                tracing::debug!(pod = spec::name(&pod), what, took = ?begun.elapsed(), "step");
            }
            if !progress {
                let status = self.status(&plan, false, None);
                self.tell(status);
                return self.pause(&plan);
            }
        }
        Step::Wait(AGAIN)
    }

    /// Stops, tells, and gives back; false if it must be tried again.
    async fn end(&mut self, ending: &Ending) -> bool {
        if let Err(error) = self.terminate(ending).await {
            tracing::warn!(%error, pod = spec::full_name(&self.pod), "not stopped yet");
            return false;
        }
        if self.observed.is_running() {
            return false;
        }
        let pod = self.pod.clone();
        self.keeper.follow(&pod, &self.observed);
        self.release();
        let told = self.pod.status.as_ref().and_then(|s| s.phase.as_deref());
        if spec::is_terminal(told) && self.observed.each().next().is_none() {
            // It ended before this kubelet began, or it never ran: what was told of it stays.
            return true;
        }
        let status = self.status(&Plan::default(), true, ending.failure.as_ref());
        self.tell(status);
        true
    }

    /// Until the first of all that is waited for.
    fn pause(&self, plan: &Plan) -> Step {
        let now = Timestamp::now();
        let held = self.troubles.values().map(|t| t.until.duration_since(now)).filter(|left| left.is_positive());
        let volumes = spec::of(&self.pod)
            .volumes
            .as_ref()
            .filter(|v| !v.is_empty())
            .map(|_| self.volumes_due.duration_since(now));
        let limit = spec::of(&self.pod).active_deadline_seconds;
        let since = self.pod.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|time| time.0);
        let deadline =
            limit.zip(since).map(|(limit, since)| SignedDuration::from_secs(limit) - now.duration_since(since));
        let first = held.chain(plan.wake).chain(volumes).chain(deadline).min().unwrap_or(IDLE);
        Step::Wait(Duration::try_from(first).unwrap_or_default().max(Duration::from_millis(10)))
    }

    /// One event for each wait that begins.
    fn announce(&mut self, plan: &Plan) {
        let pod = self.pod.clone();
        for name in plan.waiting.keys() {
            let Some((role, _)) = spec::container(&pod, name) else { continue };
            let id = self.observed.newest(name).map(|seen| seen.status.id.clone()).unwrap_or_default();
            if self.backed.insert(name.clone(), id.clone()) != Some(id) {
                let text = format!("Back-off restarting failed container {name} in pod {}", spec::full_name(&pod));
                self.event(Some((role, name)), Severity::Warning, "BackOff", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(value: serde_json::Value) -> Pod {
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn grace_counts_from_the_deletion_and_is_never_longer_than_asked() {
        let now = Timestamp::from_second(1000).expect("in range");
        let ask = |stamp: i64| {
            let at = Timestamp::from_second(stamp).expect("in range").to_string();
            let meta = json!({"name": "p", "deletionTimestamp": at, "deletionGracePeriodSeconds": 30});
            ending(&pod(json!({"metadata": meta})), false, now).expect("ends").deadline.as_second()
        };
        assert_eq!((ask(1010), ask(990), ask(5000)), (1010, 990, 1030));
    }

    #[test]
    fn a_deadline_fails_the_pod() {
        let now = Timestamp::from_second(1000).expect("in range");
        let pod = pod(
            json!({"spec": {"containers": [], "activeDeadlineSeconds": 5}, "status": {"startTime": "1970-01-01T00:16:30Z"}}),
        );
        let ending = ending(&pod, false, now).expect("ends");
        assert_eq!(ending.failure.map(|f| f.reason).as_deref(), Some("DeadlineExceeded"));
    }
}
