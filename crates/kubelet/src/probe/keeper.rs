//! The probes of one pod: a task for each probe of each running container. Tasks change what is said
//! about the container and wake the pod's worker.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, Probe};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::check::{self, Outcome, Target};
use super::{Verdict, Verdicts};
use crate::host::Host;
use crate::pod::observed::{Observed, Seen};
use crate::pod::spec::{self, Role};
use crate::pod::worker::Waker;
use crate::source::Severity;

/// The probes of one pod.
pub struct Keeper {
    shared: Arc<Shared>,
    tracked: HashMap<String, Tracked>,
}

struct Shared {
    host: Arc<Host>,
    verdicts: Mutex<Verdicts>,
    waker: Waker,
}

struct Tracked {
    id: String,
    all: CancellationToken,
    restarting: CancellationToken,
}

/// Which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Startup,
    Liveness,
    Readiness,
}

/// One task's own state.
struct Watch {
    shared: Arc<Shared>,
    pod: Arc<Pod>,
    field: String,
    target: Target,
    kind: Kind,
    probe: Probe,
    begun: Timestamp,
    started: watch::Receiver<bool>,
    start: watch::Sender<bool>,
}

// === impl Keeper ===

impl Keeper {
    /// For one pod.
    #[must_use]
    pub fn new(host: Arc<Host>, waker: Waker) -> Self {
        Self { shared: Arc::new(Shared { host, verdicts: Mutex::default(), waker }), tracked: HashMap::new() }
    }

    /// What the probes say now.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts {
        self.shared.verdicts.lock().clone()
    }

    /// Probes what runs now and nothing else.
    pub fn follow(&mut self, pod: &Arc<Pod>, observed: &Observed) {
        for (role, container) in spec::containers(spec::of(pod)).filter(|(role, _)| *role != Role::Init) {
            let running = observed.newest(&container.name).filter(|seen| seen.is_running());
            let known = self.tracked.get(&container.name).map(|t| t.id.as_str());
            if known == running.map(|seen| seen.status.id.as_str()) {
                continue;
            }
            if let Some(old) = self.tracked.remove(&container.name) {
                old.all.cancel();
            }
            if let Some(seen) = running {
                self.track(pod, role, container, seen, observed);
            }
        }
    }

    /// A pod that ends is not restarted for its probes any more, but readiness is still told.
    pub fn calm(&self) {
        for tracked in self.tracked.values() {
            tracked.restarting.cancel();
        }
    }

    fn track(&mut self, pod: &Arc<Pod>, role: Role, container: &Container, seen: &Seen, observed: &Observed) {
        let id = seen.status.id.clone();
        let verdict = first(pod, container, seen);
        let (start, started) = watch::channel(verdict.started);
        self.shared.verdicts.lock().set(&container.name, verdict);
        let all = CancellationToken::new();
        let restarting = all.child_token();
        let ips = observed.sandbox().map(|s| s.ips.clone()).unwrap_or_default();
        let own = if spec::host_network(spec::of(pod)) { &self.shared.host.ips } else { &ips };
        let target =
            Target { container: container.clone(), id: id.clone(), ip: own.first().cloned().unwrap_or_default() };
        let probes = [
            (Kind::Startup, &container.startup_probe),
            (Kind::Liveness, &container.liveness_probe),
            (Kind::Readiness, &container.readiness_probe),
        ];
        for (kind, probe) in probes {
            let Some(probe) = probe.clone() else { continue };
            let watch = Watch {
                shared: self.shared.clone(),
                pod: pod.clone(),
                field: spec::field(role, &container.name),
                target: target.clone(),
                kind,
                probe,
                begun: Timestamp::from_nanosecond(i128::from(seen.status.started_at)).unwrap_or(Timestamp::UNIX_EPOCH),
                started: started.clone(),
                start: start.clone(),
            };
            let token = if kind == Kind::Readiness { all.clone() } else { restarting.clone() };
            let name = format!("{} probe of {}", kind.name(), spec::full_name(pod));
            self.shared.host.tasks.spawn(name, async move {
                Box::pin(token.run_until_cancelled_owned(watch.run())).await;
            });
        }
        self.tracked.insert(container.name.clone(), Tracked { id, all, restarting });
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        for tracked in self.tracked.values() {
            tracked.all.cancel();
        }
    }
}

/// What holds before the first answer. A container that was told started or ready before this kubelet
/// began keeps that until its probes say otherwise: a restart of the kubelet flips nothing.
fn first(pod: &Pod, container: &Container, seen: &Seen) -> Verdict {
    let id = format!("containerd://{}", seen.status.id);
    let status = pod.status.as_ref();
    let lists =
        [status.and_then(|s| s.container_statuses.as_ref()), status.and_then(|s| s.init_container_statuses.as_ref())];
    let told = lists.into_iter().flatten().flatten().find(|s| s.container_id.as_ref() == Some(&id));
    let was = |fact: fn(&ContainerStatus) -> bool| told.is_some_and(fact);
    Verdict {
        id: seen.status.id.clone(),
        started: container.startup_probe.is_none() || was(|s| s.started == Some(true)),
        ready: container.readiness_probe.is_none() || was(|s| s.ready),
        failed: None,
    }
}

// === impl Kind ===

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Liveness => "Liveness",
            Self::Readiness => "Readiness",
        }
    }
}

// === impl Watch ===

impl Watch {
    async fn run(mut self) {
        if self.kind == Kind::Startup {
            if *self.started.borrow() {
                return;
            }
        } else if self.started.wait_for(|started| *started).await.is_err() {
            return;
        }
        let delay = SignedDuration::from_secs(i64::from(self.probe.initial_delay_seconds.unwrap_or(0)));
        let left = delay - Timestamp::now().duration_since(self.begun);
        tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
        let period = Duration::from_secs(u64::try_from(self.probe.period_seconds.unwrap_or(10).max(1)).unwrap_or(10));
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut last, mut run) = (None, 0);
        loop {
            ticks.tick().await;
            let good = self.ask().await;
            run = if last == Some(good) { run + 1 } else { 1 };
            last = Some(good);
            let threshold = if good {
                self.probe.success_threshold.unwrap_or(1)
            } else {
                self.probe.failure_threshold.unwrap_or(3)
            };
            if run >= threshold.max(1) && self.conclude(good) {
                return;
            }
        }
    }

    async fn ask(&self) -> bool {
        let cluster = &self.shared.host.cluster;
        let name = self.kind.name();
        let tell = |reason, text| cluster.event(&self.pod, Some(self.field.clone()), Severity::Warning, reason, text);
        match check::run(&self.shared.host.cri, &self.target, &self.probe).await {
            Outcome::Success => true,
            Outcome::Warning(text) => {
                tell("ProbeWarning", format!("{name} probe warning: {text}"));
                true
            }
            Outcome::Failure(text) => {
                tell("Unhealthy", format!("{name} probe failed: {text}"));
                false
            }
            Outcome::Broken(text) => {
                tell("Unhealthy", format!("{name} probe errored and resulted in unknown state: {text}"));
                false
            }
        }
    }

    /// Says it; true when there is nothing more to ask of this container.
    fn conclude(&self, good: bool) -> bool {
        let name = &self.target.container.name;
        let change = |verdict: &mut Verdict| match (self.kind, good) {
            (Kind::Startup, true) => verdict.started = true,
            (Kind::Startup, false) => verdict.failed = Some("startup"),
            (Kind::Liveness, true) => {}
            (Kind::Liveness, false) => verdict.failed = Some("liveness"),
            (Kind::Readiness, ready) => verdict.ready = ready,
        };
        if self.shared.verdicts.lock().change(name, &self.target.id, change) {
            self.shared.waker.look();
        }
        match (self.kind, good) {
            (Kind::Startup, true) => {
                self.start.send_replace(true);
                true
            }
            (Kind::Startup | Kind::Liveness, false) => true,
            (Kind::Liveness, true) | (Kind::Readiness, _) => false,
        }
    }
}
