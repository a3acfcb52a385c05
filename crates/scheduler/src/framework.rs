//! The extension points. Each is a small trait; a plugin implements those it needs, and what it works
//! out once per pod lives in the closure it hands out.

use std::borrow::Cow;

use crate::cluster::{Cluster, Group};
use crate::node::Node;
use crate::pod::PodInfo;

pub mod changes;

pub use changes::Changes;

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

/// A plugin, by the points it extends.
#[derive(Default)]
pub struct Plugin {
    /// Upstream's name for it.
    pub name: &'static str,
    /// Which changes could make a pod fit that this plugin has refused.
    pub helped_by: Changes,
    /// Whether what it says of one node depends on others, so that a change anywhere may help.
    pub looks_around: bool,
    /// Which pods must be counted per node for it.
    pub counts: Option<fn(&PodInfo) -> Vec<Group>>,
    /// See [`Gate`].
    pub gate: Option<Box<dyn Gate>>,
    /// See [`Sort`].
    pub sort: Option<Box<dyn Sort>>,
    /// See [`Filter`].
    pub filter: Option<Box<dyn Filter>>,
    /// See [`Score`].
    pub score: Option<Box<dyn Score>>,
}

/// All plugins, in the order in which they run.
pub struct Framework {
    plugins: Vec<Plugin>,
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

// === impl Plugin ===

impl Plugin {
    /// A plugin that extends nothing yet.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds a filter, and which changes could make it let a pod pass.
    #[must_use]
    pub fn filter(mut self, filter: impl Filter + 'static, helped_by: Changes) -> Self {
        self.filter = Some(Box::new(filter));
        self.helped_by = helped_by;
        self
    }

    /// Adds a score.
    #[must_use]
    pub fn score(mut self, score: impl Score + 'static) -> Self {
        self.score = Some(Box::new(score));
        self
    }

    /// Adds a gate.
    #[must_use]
    pub fn gate(mut self, gate: impl Gate + 'static) -> Self {
        self.gate = Some(Box::new(gate));
        self
    }

    /// Adds an order of the queue.
    #[must_use]
    pub fn sort(mut self, sort: impl Sort + 'static) -> Self {
        self.sort = Some(Box::new(sort));
        self
    }

    /// Adds what must be counted per node.
    #[must_use]
    pub fn counts(mut self, counts: fn(&PodInfo) -> Vec<Group>) -> Self {
        self.counts = Some(counts);
        self
    }

    /// Says that what it says of one node depends on others.
    #[must_use]
    pub const fn looking_around(mut self) -> Self {
        self.looks_around = true;
        self
    }
}

// === impl Framework ===

impl Framework {
    /// All plugins of the registry.
    #[must_use]
    pub fn new() -> Self {
        Self { plugins: crate::plugin::all() }
    }

    /// Only these, for tests.
    #[must_use]
    pub const fn of(plugins: Vec<Plugin>) -> Self {
        Self { plugins }
    }

    /// All plugins.
    #[must_use]
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// Why a pod may not be looked at at all, if so.
    #[must_use]
    pub fn closed(&self, pod: &PodInfo) -> Option<Reason> {
        self.plugins.iter().filter_map(|p| p.gate.as_ref()).find_map(|gate| gate.closed(pod))
    }

    /// How far in front of the queue a pod stands: the first plugin that has an order says.
    #[must_use]
    pub fn rank(&self, pod: &PodInfo) -> i64 {
        self.plugins.iter().find_map(|p| p.sort.as_ref()).map(|sort| sort.rank(pod)).unwrap_or_default()
    }

    /// A plugin by name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// What must be counted per node before a pod's cycle.
    pub fn counts(&self, pod: &PodInfo) -> impl Iterator<Item = Group> {
        self.plugins.iter().filter_map(|p| p.counts).flat_map(move |counts| counts(pod))
    }
}

impl Default for Framework {
    fn default() -> Self {
        Self::new()
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
