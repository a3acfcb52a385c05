//! Schedulers: any one behind an API server ([`live`]), or the decisions of ours alone, in memory: what one costs,
//! with many nodes and with many pods placed. No API and no clock take part then, so that the size of the cluster is
//! bounded by memory only.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use nakhoda_scheduler::cluster::Cluster;
use nakhoda_scheduler::cycle::{Decision, Sampling, decide};
use nakhoda_scheduler::framework::Framework;
use nakhoda_scheduler::pod::PodInfo;

use crate::figures::Figures;

mod live;
mod shapes;

use shapes::Shape;

/// Pods bound by a scheduler, or with --simulate the decisions of ours without an API server
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The API server whose scheduler is measured
    #[arg(long, required_unless_present = "simulate")]
    kubeconfig: Option<PathBuf>,
    /// The scheduler's process, whose CPU and memory are told
    #[arg(long)]
    pid: Option<u32>,
    /// Only decisions, in memory
    #[arg(long, conflicts_with_all = ["kubeconfig", "pid"])]
    simulate: bool,
    /// Nodes, in ten zones
    #[arg(long, default_value_t = 5000)]
    nodes: usize,
    /// Pods of the same shape that are placed before
    #[arg(long, default_value_t = 5000)]
    placed: usize,
    /// Pods to place
    #[arg(long, default_value_t = 5000)]
    pods: usize,
    /// Only these shapes of pods; all of them otherwise
    #[arg(long, value_enum, value_delimiter = ',')]
    workload: Vec<Shape>,
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Vec<Figures>> {
    let mut figures = Figures::default();
    let shapes = if options.workload.is_empty() { &Shape::ALL[..] } else { &options.workload };
    if let Some(kubeconfig) = options.kubeconfig.clone() {
        let size = live::Size { nodes: options.nodes, placed: options.placed, pods: options.pods };
        return Ok(vec![live::run(&live::Place { kubeconfig, pid: options.pid }, shapes, &size).await?]);
    }
    for shape in shapes {
        measure(options, *shape, &mut figures)?;
    }
    Ok(vec![figures])
}

fn measure(options: &Options, shape: Shape, figures: &mut Figures) -> Result<()> {
    let framework = Framework::new();
    let mut cluster = Cluster::default();
    for namespace in shapes::namespaces() {
        cluster.set_namespace(&namespace?);
    }
    for index in 0..options.nodes {
        cluster.set_node(&shapes::node(index)?);
    }
    let mut sampling = Sampling::default();
    for index in 0..options.placed {
        let pod = Arc::new(PodInfo::new(Arc::new(shape.pod(index)?)));
        cluster.assume(pod, &format!("node-{}", index % options.nodes));
    }
    let pods = (0..options.pods).map(|index| shape.pod(options.placed + index)).collect::<Result<Vec<_>>>()?;
    let mut placed = 0;
    let mut times = Vec::with_capacity(pods.len());
    for (draw, pod) in pods.into_iter().enumerate() {
        let begun = Instant::now();
        let pod = Arc::new(PodInfo::new(Arc::new(pod)));
        framework.tally(&mut cluster, &pod);
        if let Decision::Place(slot) = decide(&framework, &cluster, &pod, &mut sampling, draw) {
            let node = cluster.at(slot).name.clone();
            cluster.assume(pod, &node);
            placed += 1;
        }
        times.push(begun.elapsed());
    }
    let name = shape.name();
    let mean = times.iter().sum::<Duration>().as_secs_f64() * 1e3 / times.len().max(1) as f64;
    figures.add(format!("{name}, a decision, mean"), mean, "ms");
    figures.times(&format!("{name}, a decision"), &mut times);
    figures.add(format!("{name}, pods placed"), f64::from(placed), "");
    Ok(())
}
