//! [`Plugin`]: which points a plugin extends.

use nakhoda_api::field::{Errors, Path};
use serde_json::Value;

use super::{Changes, Filter, Gate, Reserve, Score, Sort};
use crate::cluster::Group;
use crate::pod::PodInfo;

/// What a plugin adds up, for any pod.
pub type Tallies = Box<dyn Fn(&PodInfo) -> Vec<Tally> + Send + Sync>;
/// Makes a plugin of its arguments; `Path` is where they stand.
pub type Configure = fn(&Value, &Path, &mut Errors) -> Plugin;

/// A plugin, by the points it extends.
#[derive(Default)]
pub struct Plugin {
    /// Upstream's name for it.
    pub name: &'static str,
    /// Which changes could make a pod fit that this plugin has refused.
    pub helped_by: Changes,
    /// Whether what it says of one node depends on others, so that a change anywhere may help.
    pub looks_around: bool,
    /// What must be added up for it.
    pub tallies: Option<Tallies>,
    /// See [`Gate`].
    pub gate: Option<Box<dyn Gate>>,
    /// See [`Sort`].
    pub sort: Option<Box<dyn Sort>>,
    /// See [`Filter`].
    pub filter: Option<Box<dyn Filter>>,
    /// See [`Score`].
    pub score: Option<Box<dyn Score>>,
    /// See [`Reserve`].
    pub reserve: Option<Box<dyn Reserve>>,
    /// After the filters: whether others may have to leave for a pod, and how long to look for them.
    pub preemption: Option<Candidates>,
    /// Whether it writes the binding.
    pub binds: bool,
    /// How it is made with arguments, if it takes any.
    pub configure: Option<Configure>,
}

/// With how many nodes preemption is content: this part of all, and at least so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// Hundredths of all nodes.
    pub percent: usize,
    /// At least.
    pub least: usize,
}

/// What a plugin adds up for a pod: how many pods of a group are in each domain of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which pods; `None`: only the domains are wanted.
    pub group: Option<Group>,
    /// Whose values are the domains.
    pub key: String,
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

    /// Adds what a pod needs at its node.
    #[must_use]
    pub fn reserve(mut self, reserve: impl Reserve + 'static) -> Self {
        self.reserve = Some(Box::new(reserve));
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

    /// Adds what must be added up.
    #[must_use]
    pub fn tallies(mut self, tallies: impl Fn(&PodInfo) -> Vec<Tally> + Send + Sync + 'static) -> Self {
        self.tallies = Some(Box::new(tallies));
        self
    }

    /// Says how it is made with arguments.
    #[must_use]
    pub const fn configured_by(mut self, configure: Configure) -> Self {
        self.configure = Some(configure);
        self
    }

    /// Says that what it says of one node depends on others.
    #[must_use]
    pub const fn looking_around(mut self) -> Self {
        self.looks_around = true;
        self
    }
}
