//! The extension points. Each is a small trait; a plugin implements those it needs, and what it works
//! out once per pod lives in the closure it hands out.

use std::borrow::Cow;
use std::time::Duration;

use nakhoda_api::kinds::core::PersistentVolume;

use crate::cluster::Cluster;
use crate::node::Node;
use crate::pod::PodInfo;

pub mod args;
pub mod changes;
pub mod plugins;
pub mod points;
pub mod step;

pub use changes::Changes;
pub use plugins::{Candidates, Plugin, Tally};
pub use points::Framework;
pub use step::Step;

/// The best score a plugin gives.
pub const BEST: i64 = 100;

/// Why a node will not do, in upstream's words.
pub type Reason = Cow<'static, str>;

/// What a filter says about one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pod may run there.
    Pass,
    /// It may not now; it might if other pods left.
    Reject(Vec<Reason>),
    /// It may not, whoever leaves.
    Hopeless(Vec<Reason>),
}

/// What a filter is for one pod.
pub enum Check<'a> {
    /// The pod has nothing to do with it.
    Skip,
    /// No node will do, for one reason.
    Hopeless(Reason),
    /// Node by node.
    Each(EachNode<'a>),
}

/// What a filter asks of each node for one pod.
pub type EachNode<'a> = Box<dyn Fn(&Node) -> Verdict + 'a>;

/// What a score is for one pod, before it is normalised.
pub type Rate<'a> = Box<dyn Fn(&Node) -> i64 + 'a>;

/// One attempt to place one pod.
#[derive(Clone, Copy)]
pub struct Cycle<'a> {
    /// Which pod.
    pub pod: &'a PodInfo,
    /// Everything else.
    pub cluster: &'a Cluster,
}

/// Before the queue: whether a pod may be looked at at all.
pub trait Gate: Send + Sync {
    /// Why not, if not.
    fn closed(&self, pod: &PodInfo) -> Option<Reason>;
}

/// In the queue: which pods go first.
pub trait Sort: Send + Sync {
    /// The higher goes first; of equals, the one that has waited longer.
    fn rank(&self, pod: &PodInfo) -> i64;
}

/// Which nodes will do.
pub trait Filter: Send + Sync {
    /// Works out once what all nodes have in common.
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a>;
}

/// Which of the nodes that will do is best.
pub trait Score: Send + Sync {
    /// How much it counts beside other scores.
    fn weight(&self) -> i64;

    /// Works out once what the nodes that will do have in common; `None` if the pod has nothing to do
    /// with it.
    fn prepare<'a>(&'a self, cycle: Cycle<'a>, feasible: &[usize]) -> Option<Rate<'a>>;

    /// Brings what [`Score::prepare`]'s closure gave to 0..=[`BEST`].
    fn normalise(&self, _scores: &mut [i64]) {}
}

/// After the decision: what a pod needs at the node before it is bound.
pub trait Reserve: Send + Sync {
    /// In the order in which it is done.
    fn steps(&self, cycle: Cycle<'_>, node: &Node) -> Vec<Step>;

    /// How long that may take.
    fn patience(&self) -> Duration;
}

// === impl Cycle ===

impl<'a> Cycle<'a> {
    /// The volumes that the pod's claims are bound to.
    pub fn bound_volumes(self) -> impl Iterator<Item = &'a PersistentVolume> {
        let volumes = self.cluster.volumes();
        let claims = self.pod.claims.iter().filter_map(move |reference| volumes.claim(&reference.key));
        claims.filter_map(move |claim| volumes.volume(claim.spec.as_ref()?.volume_name.as_deref()?))
    }
}

// === impl Verdict ===

impl Verdict {
    /// [`Verdict::Reject`] for one reason.
    #[must_use]
    pub fn reject(reason: impl Into<Reason>) -> Self {
        Self::Reject(vec![reason.into()])
    }

    /// [`Verdict::Hopeless`] for one reason.
    #[must_use]
    pub fn hopeless(reason: impl Into<Reason>) -> Self {
        Self::Hopeless(vec![reason.into()])
    }

    /// Whether the node will do.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Pass)
    }
}

/// Scales scores so that the highest becomes [`BEST`]; or, for what counts against a node, so that the
/// highest becomes 0.
pub fn scale(scores: &mut [i64], against: bool) {
    let highest = scores.iter().copied().max().unwrap_or_default();
    for score in scores {
        let scaled = if highest == 0 { 0 } else { *score * BEST / highest };
        *score = if against { BEST - scaled } else { scaled };
    }
}
