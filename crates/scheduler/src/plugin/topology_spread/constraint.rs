//! [`Constraint`]: how far the domains of a label may differ in their pods, and which pods and nodes count.

use nakhoda_api::kinds::core::TopologySpreadConstraint;
use nakhoda_api::selector::labels::{self, Operator, Requirement};

use crate::cluster::Group;
use crate::node::Node;
use crate::plugin::node_affinity::Demand;
use crate::plugin::taints;
use crate::pod::PodInfo;

pub(super) const HOST: &str = "kubernetes.io/hostname";

/// One constraint, ready to be checked.
pub(super) struct Constraint {
    /// Whose values are the domains.
    pub(super) key: String,
    /// `maxSkew`.
    pub(super) skew: i64,
    /// Whether it refuses nodes; otherwise it only rates them.
    pub(super) hard: bool,
    /// While there are fewer domains, the emptiest counts as empty.
    pub(super) min_domains: usize,
    /// Which pods are counted.
    pub(super) group: Group,
    /// Whether nodes that the pod's own selector and affinity rule out do not count.
    by_affinity: bool,
    /// Whether nodes whose taints the pod does not tolerate do not count.
    by_taints: bool,
}

// === impl Constraint ===

impl Constraint {
    pub(super) fn read(pod: &PodInfo, constraint: &TopologySpreadConstraint) -> Option<Self> {
        let mut selector = labels::from_typed(constraint.label_selector.as_ref()).ok()?;
        for key in constraint.match_label_keys.iter().flatten() {
            if let Some(value) = pod.object.metadata.labels.as_ref().and_then(|labels| labels.get(key)) {
                let operator = Operator::In;
                selector.require(Requirement { key: key.clone(), operator, values: vec![value.clone()] });
            }
        }
        Some(Self::of_group(constraint, Group::Labels { namespace: pod.key.namespace.clone(), selector }))
    }

    /// The constraint for a group of pods, whatever its own selector says.
    pub(super) fn of_group(constraint: &TopologySpreadConstraint, group: Group) -> Self {
        Self {
            key: constraint.topology_key.clone(),
            skew: constraint.max_skew.into(),
            hard: constraint.when_unsatisfiable == "DoNotSchedule",
            min_domains: constraint.min_domains.and_then(|n| usize::try_from(n).ok()).unwrap_or(1),
            group,
            by_affinity: constraint.node_affinity_policy.as_deref() != Some("Ignore"),
            by_taints: constraint.node_taints_policy.as_deref() == Some("Honor"),
        }
    }

    /// Which nodes count.
    pub(super) fn eligible<'a>(&self, pod: &'a PodInfo) -> impl Fn(&Node) -> bool + use<'a> {
        let demand = Some(Demand::of(pod)).filter(|demand| self.by_affinity && !demand.is_nothing());
        let by_taints = self.by_taints;
        move |node| {
            demand.as_ref().is_none_or(|demand| demand.met_by(node))
                && !(by_taints && taints::repels(node, pod.tolerations()))
        }
    }
}
