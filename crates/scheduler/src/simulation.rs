//! A thousand pods on a thousand nodes, decision by decision: what must hold whatever is drawn.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cluster::Cluster;
use crate::cycle::{Decision, Sampling, decide};
use crate::fixtures::{NodeBuilder, PodBuilder, info, node, pod};
use crate::framework::Framework;

const NODES: usize = 1000;
const PODS: usize = 1000;

fn some_node(random: &mut StdRng, index: usize) -> NodeBuilder {
    let node = node(&format!("node-{index}"))
        .cpu(&random.random_range(1..9).to_string())
        .memory(&format!("{}Gi", random.random_range(1..17)))
        .label("kubernetes.io/hostname", &format!("node-{index}"))
        .label("topology.kubernetes.io/zone", &format!("zone-{}", index % 3))
        .label("disk", if index.is_multiple_of(4) { "ssd" } else { "hdd" });
    match index % 10 {
        0 => node.cordoned(),
        1 => node.taint("dedicated", "", "NoSchedule"),
        _ => node,
    }
}

fn some_pod(random: &mut StdRng, index: usize) -> PodBuilder {
    let pod = pod(&format!("pod-{index}"))
        .cpu(&format!("{}m", random.random_range(1..20) * 100))
        .memory(&format!("{}Mi", random.random_range(1..20) * 100))
        .owned_by(&format!("set-{}", index % 20));
    match index % 7 {
        0 => pod.select("disk", "ssd"),
        1 => pod.tolerate("dedicated", "Exists"),
        2 => pod.host_port(8080),
        _ => pod,
    }
}

/// Places as many as fit; returns which pod went where.
fn run(seed: u64, nodes: usize, pods: usize) -> (Cluster, BTreeMap<String, String>) {
    let mut random = StdRng::seed_from_u64(seed);
    let framework = Framework::new();
    let mut cluster = Cluster::default();
    for index in 0..nodes {
        cluster.set_node(&some_node(&mut random, index).build());
    }
    let (mut sampling, mut placed) = (Sampling::default(), BTreeMap::new());
    for index in 0..pods {
        let pod = info(some_pod(&mut random, index));
        framework.tally(&mut cluster, &pod);
        if let Decision::Place(slot) = decide(&framework, &cluster, &pod, &mut sampling, random.random_range(0..1000)) {
            let node = cluster.at(slot).name.clone();
            cluster.assume(pod.clone(), &node);
            placed.insert(pod.uid.clone(), node);
        }
    }
    (cluster, placed)
}

fn check(seed: u64, cluster: &Cluster) {
    for node in cluster.nodes() {
        let name = &node.name;
        assert!(node.requested.cpu <= node.allocatable.cpu, "seed {seed}: {name} has too much CPU placed");
        assert!(node.requested.memory <= node.allocatable.memory, "seed {seed}: {name} has too much memory placed");
        assert!(node.ports.len() < 2, "seed {seed}: port 8080 of {name} is taken twice");
        assert!(!node.unschedulable || node.pods.is_empty(), "seed {seed}: {name} is cordoned");
        for pod in node.pods.values() {
            assert!(node.taints.is_empty() || !pod.tolerations().is_empty(), "seed {seed}: {name} repels {}", pod.key);
            let disk = pod.spec().and_then(|s| s.node_selector.as_ref()).and_then(|s| s.get("disk"));
            assert!(disk.is_none_or(|d| node.labels.get("disk") == Some(d)), "seed {seed}: {} is misplaced", pod.key);
        }
    }
}

#[test]
fn a_thousand_pods_find_a_thousand_nodes_and_nothing_is_overcommitted() {
    let (cluster, placed) = run(1, NODES, PODS);
    assert_eq!(placed.len(), PODS);
    check(1, &cluster);
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    for node in placed.values() {
        let zone = &cluster.node(node).expect("known").labels["topology.kubernetes.io/zone"];
        *zones.entry(zone).or_default() += 1;
    }
    assert!(zones.values().all(|pods| *pods > PODS / 5), "{zones:?}");
}

#[test]
fn a_small_cluster_is_filled_and_never_overfilled() {
    for seed in 0..20 {
        let (cluster, placed) = run(seed, 12, 200);
        check(seed, &cluster);
        assert!(placed.len() < 200 && placed.len() > 8, "seed {seed}: {}", placed.len());
    }
}

#[test]
fn the_same_seed_gives_the_same_placement() {
    assert_eq!(run(7, 50, 200).1, run(7, 50, 200).1);
}
