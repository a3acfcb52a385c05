//! A second opinion on which nodes will do: plain, slow, read straight off the objects, sharing nothing with the
//! plugins. Both must agree in 10^5 random cases.

use std::collections::{BTreeMap, BTreeSet};

use nakhoda_api::kinds::core::{self, NodeSelectorTerm, Pod, PodAffinityTerm, TopologySpreadConstraint};
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::quantity::Quantity;
use nakhoda_client::Resource;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cluster::Cluster;
use crate::cycle::Checks;
use crate::fixtures::{NodeBuilder, PodBuilder, info, node, pod};
use crate::framework::{Cycle, Framework};

/// Every node, and every pod that has one.
#[derive(Default)]
struct World {
    nodes: Vec<core::Node>,
    pods: Vec<(Pod, String)>,
}

// === impl World ===

impl World {
    fn fits(&self, pod: &Pod, node: &core::Node) -> bool {
        tolerated(pod, node)
            && selected(pod, node)
            && self.room(pod, node)
            && self.ports(pod, node)
            && self.near(pod, node)
            && self.away(pod, node)
            && self.welcome(pod, node)
            && self.spread(pod, node)
    }

    fn on<'a>(&'a self, node: &'a core::Node) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter(|(_, name)| name == node.name()).map(|(pod, _)| pod)
    }

    fn room(&self, pod: &Pod, node: &core::Node) -> bool {
        let all = node.status.as_ref().and_then(|status| status.allocatable.clone()).unwrap_or_default();
        let has = |name: &str| all.get(name).map_or(0, |amount| milli(&amount.0));
        let fits = |name: &str| {
            asks(pod, name) == 0 || self.on(node).map(|p| asks(p, name)).sum::<i64>() + asks(pod, name) <= has(name)
        };
        ["cpu", "memory", "x/y"].into_iter().all(fits) && (count(self.on(node)) + 1) * 1000 <= has("pods")
    }

    fn ports(&self, pod: &Pod, node: &core::Node) -> bool {
        self.on(node).flat_map(ports).all(|taken| !ports(pod).contains(&taken))
    }

    /// The nodes in the neighbourhood of one.
    fn around<'a>(&'a self, node: &core::Node, key: &'a str) -> Vec<&'a core::Node> {
        let Some(here) = label(node, key) else { return Vec::new() };
        self.nodes.iter().filter(|other| label(other, key) == Some(here)).collect()
    }

    fn near(&self, pod: &Pod, node: &core::Node) -> bool {
        let terms = terms(pod, true);
        let meant = |other: &Pod| terms.iter().all(|term| matches(term, other));
        let count = |nodes: Vec<&core::Node>| nodes.into_iter().flat_map(|n| self.on(n)).filter(|p| meant(p)).count();
        let labelled =
            |term: &PodAffinityTerm| self.nodes.iter().filter(|n| label(n, &term.topology_key).is_some()).collect();
        let first = meant(pod) && terms.iter().all(|term| count(labelled(term)) == 0);
        terms.iter().all(|term| {
            let around = self.around(node, &term.topology_key);
            !around.is_empty() && (first || count(around) > 0)
        })
    }

    fn away(&self, pod: &Pod, node: &core::Node) -> bool {
        terms(pod, false).iter().all(|term| {
            let around = self.around(node, &term.topology_key);
            !around.into_iter().flat_map(|n| self.on(n)).any(|other| matches(term, other))
        })
    }

    /// Whether nobody who is there wants the pod away.
    fn welcome(&self, pod: &Pod, node: &core::Node) -> bool {
        self.pods.iter().all(|(other, name)| {
            let Some(home) = self.nodes.iter().find(|n| n.name() == name) else { return true };
            let same = |key: &str| label(home, key).is_some() && label(home, key) == label(node, key);
            terms(other, false).iter().all(|term| !(matches(term, pod) && same(&term.topology_key)))
        })
    }

    fn spread(&self, pod: &Pod, node: &core::Node) -> bool {
        let all = pod.spec.as_ref().and_then(|spec| spec.topology_spread_constraints.clone()).unwrap_or_default();
        let hard: Vec<TopologySpreadConstraint> =
            all.into_iter().filter(|constraint| constraint.when_unsatisfiable == "DoNotSchedule").collect();
        let counts = |n: &&core::Node| selected(pod, n) && hard.iter().all(|c| label(n, &c.topology_key).is_some());
        let eligible: Vec<&core::Node> = self.nodes.iter().filter(counts).collect();
        hard.iter().all(|constraint| {
            let is_meant = |other: &Pod| chosen(constraint.label_selector.as_ref(), other);
            let mut domains: BTreeMap<&str, i64> = BTreeMap::new();
            for n in &eligible {
                let here = count(self.on(n).filter(|other| is_meant(other)));
                *domains.entry(label(n, &constraint.topology_key).unwrap_or_default()).or_default() += here;
            }
            let Some(domain) = label(node, &constraint.topology_key) else { return false };
            let least = domains.values().min().copied().unwrap_or_default();
            let here = domains.get(domain).copied().unwrap_or_default() + i64::from(is_meant(pod));
            here - least <= constraint.max_skew.into()
        })
    }
}

fn count<T>(all: impl Iterator<Item = T>) -> i64 {
    all.map(|_| 1).sum()
}

fn milli(text: &str) -> i64 {
    Quantity::parse(text).expect("a quantity").milli()
}

fn asks(pod: &Pod, name: &str) -> i64 {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let requests = containers.filter_map(|c| c.resources.as_ref()?.requests.as_ref()?.get(name));
    requests.map(|amount| milli(&amount.0)).sum()
}

fn ports(pod: &Pod) -> Vec<i32> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.flat_map(|c| c.ports.iter().flatten()).filter_map(|port| port.host_port).collect()
}

fn label<'a>(node: &'a core::Node, key: &str) -> Option<&'a str> {
    node.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn tolerated(pod: &Pod, node: &core::Node) -> bool {
    let spec = node.spec.clone().unwrap_or_default();
    let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.clone()).unwrap_or_default();
    let tolerates = |key: &str| tolerations.iter().any(|toleration| toleration.key.as_deref() == Some(key));
    let hard = spec.taints.iter().flatten().filter(|taint| taint.effect != "PreferNoSchedule");
    let cordoned = spec.unschedulable == Some(true) && !tolerates("node.kubernetes.io/unschedulable");
    !cordoned && hard.into_iter().all(|taint| tolerates(&taint.key))
}

fn selected(pod: &Pod, node: &core::Node) -> bool {
    let spec = pod.spec.clone().unwrap_or_default();
    let by_label = spec.node_selector.iter().flatten().all(|(key, value)| label(node, key) == Some(value));
    let affinity = spec.affinity.and_then(|affinity| affinity.node_affinity);
    let required = affinity.and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution);
    by_label && required.is_none_or(|required| required.node_selector_terms.iter().any(|term| meets(term, node)))
}

fn meets(term: &NodeSelectorTerm, node: &core::Node) -> bool {
    term.match_expressions.iter().flatten().all(|one| {
        let (here, values) = (label(node, &one.key), one.values.clone().unwrap_or_default());
        let number = |text: &str| text.parse::<i64>().ok();
        match one.operator.as_str() {
            "In" => here.is_some_and(|here| values.iter().any(|value| value == here)),
            "NotIn" => !here.is_some_and(|here| values.iter().any(|value| value == here)),
            "Exists" => here.is_some(),
            "DoesNotExist" => here.is_none(),
            "Gt" => here.and_then(number) > number(&values[0]),
            _ => here.and_then(number).is_some_and(|here| Some(here) < number(&values[0])),
        }
    })
}

/// What a pod must have near it, or must not.
fn terms(pod: &Pod, near: bool) -> Vec<PodAffinityTerm> {
    let affinity = pod.spec.as_ref().and_then(|spec| spec.affinity.clone()).unwrap_or_default();
    let required = if near {
        affinity.pod_affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution)
    } else {
        affinity.pod_anti_affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution)
    };
    required.unwrap_or_default()
}

fn matches(term: &PodAffinityTerm, pod: &Pod) -> bool {
    chosen(term.label_selector.as_ref(), pod)
}

fn chosen(selector: Option<&LabelSelector>, pod: &Pod) -> bool {
    let wanted = selector.and_then(|selector| selector.match_labels.clone()).unwrap_or_default();
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn one_of<'a>(random: &mut StdRng, choices: &[&'a str]) -> &'a str {
    choices[random.random_range(0..choices.len())]
}

fn some_node(random: &mut StdRng, index: usize) -> NodeBuilder {
    let mut node = node(&format!("n{index}")).cpu(one_of(random, &["1", "2", "4"])).label("host", &format!("n{index}"));
    if random.random_ratio(4, 5) {
        node = node.label("zone", one_of(random, &["a", "b", "c"]));
    }
    if random.random_ratio(1, 2) {
        node = node.label("cores", one_of(random, &["4", "8", "16"]));
    }
    match random.random_range(0..8) {
        0 => node.cordoned(),
        1 => node.taint("dedicated", "", one_of(random, &["NoSchedule", "NoExecute", "PreferNoSchedule"])),
        2 => node.pods("2"),
        _ => node,
    }
}

fn some_pod(random: &mut StdRng, index: usize) -> PodBuilder {
    let app = one_of(random, &["x", "y", "z"]);
    let mut pod = pod(&format!("p{index}")).label("app", app).cpu(one_of(random, &["100m", "500m", "1"]));
    let ways = [3, 4, 4, 5, 4, 4, 4, 6].map(|part| random.random_ratio(1, part));
    let (other, key) = (one_of(random, &["x", "y", "z"]), one_of(random, &["host", "zone"]));
    if ways[0] {
        let operator = one_of(random, &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]);
        let values: &[&str] = if operator.contains("Exist") { &[] } else { &["8"] };
        pod = pod.require("cores", operator, values);
    }
    if ways[1] {
        pod = pod.select("zone", one_of(random, &["a", "b"]));
    }
    if ways[2] {
        pod = pod.tolerate("dedicated", "Exists");
    }
    if ways[3] {
        pod = pod.host_port(80);
    }
    if ways[4] {
        pod = pod.near(key, "app", other);
    }
    if ways[5] {
        pod = pod.away(key, "app", other);
    }
    if ways[6] {
        pod = pod.spread(key, random.random_range(1..3), "DoNotSchedule", "app", app);
    }
    if ways[7] { pod.ask("x/y", "1") } else { pod }
}

/// How many cases were compared, and in how many the node would do.
fn compare(seed: u64) -> (usize, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let (framework, mut cluster, mut world) = (Framework::new(), Cluster::default(), World::default());
    for index in 0..random.random_range(2..9) {
        let node = some_node(&mut random, index).build();
        cluster.set_node(&node);
        world.nodes.push(node);
    }
    let (mut cases, mut fitting) = (0, 0);
    for index in 0..25 {
        let pod = some_pod(&mut random, index);
        let (object, info) = (pod.clone().build(), info(pod.clone()));
        framework.tally(&mut cluster, &info);
        let cycle = Cycle { pod: &info, cluster: &cluster };
        let ours: BTreeSet<String> = match Checks::prepare(&framework, cycle) {
            Err(_) => BTreeSet::new(),
            Ok(checks) => cluster.nodes().filter(|node| checks.pass(node)).map(|node| node.name.clone()).collect(),
        };
        let theirs: BTreeSet<String> =
            world.nodes.iter().filter(|node| world.fits(&object, node)).map(|node| node.name().to_owned()).collect();
        let shown = || serde_json::to_string(&object.spec).unwrap_or_default();
        assert_eq!(ours, theirs, "seed {seed}, pod {index}: {}", shown());
        cases += world.nodes.len();
        fitting += theirs.len();
        let Some(home) = theirs.iter().nth(random.random_range(0..theirs.len().max(1))).cloned() else { continue };
        cluster.assume(info, &home);
        world.pods.push((object, home));
        if random.random_ratio(1, 6) {
            let (gone, _) = world.pods.swap_remove(random.random_range(0..world.pods.len()));
            cluster.remove(gone.uid());
        }
    }
    (cases, fitting)
}

#[test]
fn the_plugins_and_the_oracle_agree_on_every_node() {
    let (mut cases, mut fitting) = (0, 0);
    for seed in 0.. {
        let (more, fits) = compare(seed);
        (cases, fitting) = (cases + more, fitting + fits);
        if cases >= 100_000 {
            break;
        }
    }
    assert!(fitting * 10 > cases && fitting * 10 < cases * 9, "neither all nor nothing fits: {fitting} of {cases}");
}
