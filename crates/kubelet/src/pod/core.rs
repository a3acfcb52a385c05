//! What a pod's worker knows and remembers, apart from its inbox.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use parking_lot::RwLock;

use super::backoff::Backoff;
use super::observed::Observed;
use super::plan::{self, Plan};
use super::resize::Sizing;
use super::spec::{self, Role};
use super::state::Failure;
use super::status::{self, Waiting};
use super::worker::Waker;
use super::{message, sizes, told};
use crate::cri;
use crate::host::Host;
use crate::probe::keeper::Keeper;
use crate::source::Severity;

/// What others may see of a pod at any time.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The pod with the status that was told last.
    pub pod: Arc<Pod>,
    /// The runtime's view of it.
    pub observed: Arc<Observed>,
}

/// A failure that is tried again later.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// What the status says of it.
    pub(super) waiting: Option<Waiting>,
    /// Not before this.
    pub(super) until: Timestamp,
    /// How often it failed in a row.
    pub(super) tries: u32,
}

/// One pod's memory.
pub(super) struct Core {
    pub(super) host: Arc<Host>,
    pub(super) pod: Arc<Pod>,
    pub(super) observed: Arc<Observed>,
    pub(super) keeper: Keeper,
    pub(super) waker: Waker,
    pub(super) sizing: Sizing,
    pub(super) backoff: Backoff,
    /// By container; the empty name is the pod itself.
    pub(super) troubles: HashMap<String, Trouble>,
    /// Volumes that are set up, by name.
    pub(super) volumes: HashMap<String, PathBuf>,
    /// When their content is looked at again.
    pub(super) volumes_due: Timestamp,
    /// Containers whose end was announced and not seen yet.
    pub(super) ends: HashSet<String>,
    /// Containers that were asked to stop before.
    pub(super) stopping: HashSet<String>,
    /// The end for which a back-off was announced, by container.
    pub(super) backed: HashMap<String, String>,
    view: Arc<RwLock<View>>,
}

// === impl Core ===

impl Core {
    pub(super) fn new(host: Arc<Host>, pod: Arc<Pod>, waker: Waker, view: Arc<RwLock<View>>) -> Self {
        let sizing = Sizing::of(&host, &pod);
        let mut sized = Pod::clone(&pod);
        sizes::apply(&mut sized, &sizing.ledger.allocated);
        if sizing.is_taken && !spec::is_terminal(pod.status.as_ref().and_then(|s| s.phase.as_deref())) {
            host.allocations.hold(&sized);
        }
        Self {
            keeper: Keeper::new(host.clone(), waker.clone()),
            waker,
            sizing,
            host,
            pod: Arc::new(sized),
            observed: Arc::default(),
            backoff: Backoff::default(),
            troubles: HashMap::new(),
            volumes: HashMap::new(),
            volumes_due: Timestamp::UNIX_EPOCH,
            ends: HashSet::new(),
            stopping: HashSet::new(),
            backed: HashMap::new(),
            view,
        }
    }

    /// Takes a newer version of the pod; what this node told of it outlives it.
    pub(super) fn renew(&mut self, pod: &Pod) {
        let (old, new) = (&self.pod.metadata, &pod.metadata);
        if old.labels != new.labels || old.annotations != new.annotations {
            // The downward API shows these.
            self.volumes_due = Timestamp::UNIX_EPOCH;
        }
        self.sizing.wanted = sizes::of(spec::of(pod));
        let mut merged = told::merge(pod, self.pod.status.as_ref());
        sizes::apply(&mut merged, &self.sizing.ledger.allocated);
        self.pod = Arc::new(merged);
        self.show();
    }

    /// Asks the runtime. An end that was announced is waited for: the announcement is faster than the
    /// runtime's own books.
    pub(super) async fn look(&mut self) -> Result<(), cri::Error> {
        let mut pause = Duration::from_millis(5);
        loop {
            let observed = Observed::ask(&self.host.cri, spec::uid(&self.pod)).await?;
            let late = observed.each().any(|seen| seen.is_running() && self.ends.contains(&seen.status.id));
            self.observed = Arc::new(observed);
            if !late || pause > Duration::from_secs(2) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ends.clear();
        let uid = spec::uid(&self.pod);
        self.observed.each().for_each(|seen| self.host.owners.note(&seen.status.id, uid));
        self.observed.sandboxes.iter().for_each(|sandbox| self.host.owners.note(&sandbox.id, uid));
        self.show();
        Ok(())
    }

    pub(super) fn plan(&self) -> Plan {
        plan::plan(
            &self.pod,
            &plan::Inputs {
                observed: &self.observed,
                verdicts: &self.keeper.verdicts(),
                backoff: &self.backoff,
                ledger: &self.sizing.ledger,
                stopped: &self.sizing.stopped,
                now: Timestamp::now(),
            },
        )
    }

    /// Computes the status.
    pub(super) fn status(&self, plan: &Plan, over: bool, failure: Option<&Failure>) -> PodStatus {
        let mut waiting: HashMap<String, Waiting> =
            self.troubles.iter().filter_map(|(name, t)| Some((name.clone(), t.waiting.clone()?))).collect();
        for (name, text) in &plan.waiting {
            waiting.insert(name.clone(), Waiting { reason: "CrashLoopBackOff".into(), message: text.clone() });
        }
        status::compute(&status::Inputs {
            pod: &self.pod,
            observed: &self.observed,
            verdicts: &self.keeper.verdicts(),
            waiting: &waiting,
            over,
            failure,
            actuated: &self.sizing.ledger.actuated,
            resize: &self.sizing.conditions(),
            host_ips: &self.host.ips,
            now: Timestamp::now(),
            message: &message::of,
        })
    }

    /// Tells a status and remembers it.
    pub(super) fn tell(&mut self, status: PodStatus) {
        if self.pod.status.as_ref() != Some(&status) {
            let mut pod = Pod::clone(&self.pod);
            pod.status = Some(status.clone());
            self.pod = Arc::new(pod);
            self.show();
        }
        self.host.cluster.status(&self.pod, status);
    }

    pub(super) fn event(&self, field: Option<(Role, &str)>, severity: Severity, reason: &str, text: String) {
        let field = field.map(|(role, name)| spec::field(role, name));
        self.host.cluster.event(&self.pod, field, severity, reason, text);
    }

    /// Notes a failure; it is tried again after 1, 2, 4, 8, 10, 10, … seconds.
    pub(super) fn trouble(&mut self, name: &str, waiting: Option<Waiting>) {
        let tries = self.troubles.get(name).map_or(0, |t| t.tries) + 1;
        let wait = SignedDuration::from_secs((1_i64 << (tries - 1).min(4)).min(10));
        self.troubles.insert(name.into(), Trouble { waiting, until: Timestamp::now() + wait, tries });
    }

    /// Whether a failure is to be waited out.
    pub(super) fn is_held(&self, name: &str) -> bool {
        self.troubles.get(name).is_some_and(|t| t.until > Timestamp::now())
    }

    /// Tries again at once what failed.
    pub(super) fn retry(&mut self) {
        self.troubles.values_mut().for_each(|t| t.until = Timestamp::UNIX_EPOCH);
    }

    /// The pod's addresses as its containers are told them.
    pub(super) fn ips(&self) -> Vec<String> {
        if spec::host_network(spec::of(&self.pod)) {
            return self.host.ips.clone();
        }
        self.observed.sandbox().map(|s| s.ips.clone()).unwrap_or_default()
    }

    fn show(&self) {
        *self.view.write() = View { pod: self.pod.clone(), observed: self.observed.clone() };
    }
}
