//! How nodes are rated by what of them is used (`scoringStrategy`), and over which resources.

use nakhoda_api::field::{Errors, Path};
use serde::Deserialize;

use crate::framework::BEST;
use crate::node::Node;
use crate::pod::PodInfo;
use crate::resources::ResourceName;

/// Points of a shape count up to this.
const MOST_POINTS: i64 = 10;

/// `ScoringStrategy`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Strategy {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    resources: Vec<Weighed>,
    requested_to_capacity_ratio: Option<Ratio>,
}

/// A resource, and how much it counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weighed {
    /// Its name.
    pub(crate) name: String,
    /// 0: 1.
    #[serde(default)]
    pub(crate) weight: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    #[serde(default)]
    shape: Vec<Point>,
}

/// So many points at so many hundredths used.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    #[serde(default)]
    utilization: i32,
    #[serde(default)]
    score: i32,
}

/// A strategy that is right.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    curve: Curve,
    resources: Vec<(ResourceName, i64)>,
}

#[derive(Clone, Debug)]
enum Curve {
    Least,
    Most,
    Shape(Vec<(i64, i64)>),
}

// === impl Scale ===

impl Default for Scale {
    fn default() -> Self {
        Self { curve: Curve::Least, resources: vec![(ResourceName::Cpu, 1), (ResourceName::Memory, 1)] }
    }
}

impl Scale {
    /// Checks a strategy.
    pub(super) fn of(strategy: Strategy, path: &Path, errors: &mut Errors) -> Self {
        let mut scale = Self::default();
        if !strategy.resources.is_empty() {
            scale.resources = weights(&strategy.resources, &path.child("resources"), errors);
        }
        let (at, ratio) = (path.child("requestedToCapacityRatio"), strategy.requested_to_capacity_ratio);
        match (strategy.kind.as_deref().unwrap_or("LeastAllocated"), ratio) {
            ("RequestedToCapacityRatio", None) => {
                errors.required(&at, "must be specified when type is RequestedToCapacityRatio");
            }
            ("RequestedToCapacityRatio", Some(ratio)) => {
                scale.curve = Curve::Shape(shape(&ratio.shape, &at.child("shape"), errors));
            }
            ("LeastAllocated" | "MostAllocated", Some(_)) => {
                errors.forbidden(&at, "must be nil when type is not RequestedToCapacityRatio");
            }
            ("LeastAllocated", None) => {}
            ("MostAllocated", None) => scale.curve = Curve::Most,
            (other, _) => {
                let known = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
                errors.not_supported(&path.child("type"), other, &known);
            }
        }
        scale
    }

    /// How good a node would be with the pod.
    pub(super) fn rate(&self, pod: &PodInfo, node: &Node) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for (name, weight) in &self.resources {
            let Some((used, all)) = amounts(name, pod, node).filter(|(_, all)| *all > 0) else { continue };
            let score = self.curve.at(used, all);
            // As upstream: with a shape, what scores nothing does not count.
            if score > 0 || !matches!(self.curve, Curve::Shape(_)) {
                sum += score * weight;
                weights += weight;
            }
        }
        match (&self.curve, weights) {
            (_, 0) => 0,
            (Curve::Shape(_), weights) => (2 * sum + weights) / (2 * weights),
            (_, weights) => sum / weights,
        }
    }
}

impl Curve {
    fn at(&self, used: i64, all: i64) -> i64 {
        match self {
            Self::Least if used > all => 0,
            Self::Least => (all - used) * BEST / all,
            Self::Most => used.min(all) * BEST / all,
            Self::Shape(points) => between(points, if used > all { 100 } else { used * 100 / all }),
        }
    }
}

/// What would be used of a resource and what there is; `None` for one that the pod does not ask for and that few
/// nodes have.
fn amounts(name: &ResourceName, pod: &PodInfo, node: &Node) -> Option<(i64, i64)> {
    let (wanted, used) = match name {
        ResourceName::Cpu => (pod.scored[0], node.scored[0]),
        ResourceName::Memory => (pod.scored[1], node.scored[1]),
        name => (pod.requests.amount(name), node.requested.amount(name)),
    };
    let rare = matches!(name, ResourceName::Other(_)) && wanted == 0;
    (!rare).then(|| (used + wanted, node.allocatable.amount(name)))
}

/// Reads weights: from 1 to 100, 1 if none is said.
fn weights(given: &[Weighed], path: &Path, errors: &mut Errors) -> Vec<(ResourceName, i64)> {
    for (i, one) in given.iter().enumerate() {
        if !(0..=100).contains(&one.weight) {
            let why = format!("resource weight of {} not in valid range [1, 100]", one.name);
            errors.invalid(&path.index(i).child("weight"), one.weight, why);
        }
        if given[..i].iter().any(|other| other.name == one.name) {
            errors.duplicate(&path.index(i).child("name"), one.name.as_str());
        }
    }
    given.iter().map(|one| (one.name.as_str().into(), one.weight.max(1))).collect()
}

fn shape(points: &[Point], path: &Path, errors: &mut Errors) -> Vec<(i64, i64)> {
    if points.is_empty() {
        errors.required(path, "at least one point must be specified");
    }
    for (i, point) in points.iter().enumerate() {
        let at = path.index(i);
        if i > 0 && points[i - 1].utilization >= point.utilization {
            errors.invalid(&at.child("utilization"), point.utilization, "values must be sorted in increasing order");
        }
        if !(0..=100).contains(&point.utilization) {
            errors.invalid(&at.child("utilization"), point.utilization, "not in valid range [0, 100]");
        }
        if !(0..=MOST_POINTS).contains(&i64::from(point.score)) {
            errors.invalid(&at.child("score"), point.score, "not in valid range [0, 10]");
        }
    }
    points.iter().map(|point| (point.utilization.into(), i64::from(point.score) * BEST / MOST_POINTS)).collect()
}

/// The straight line through the points, flat before the first and behind the last.
fn between(points: &[(i64, i64)], used: i64) -> i64 {
    let Some(at) = points.iter().position(|(x, _)| used <= *x) else {
        return points.last().map_or(0, |(_, score)| *score);
    };
    let (x, score) = points[at];
    if at == 0 {
        return score;
    }
    let (before, low) = points[at - 1];
    low + (score - low) * (used - before) / (x - before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_a_line_through_its_points() {
        let points = [(20, 0), (60, 100), (80, 50)];
        let scores = [0, 20, 40, 60, 70, 80, 100].map(|used| between(&points, used));
        assert_eq!(scores, [0, 0, 50, 100, 75, 50, 50]);
        assert_eq!(between(&[], 5), 0);
    }
}
