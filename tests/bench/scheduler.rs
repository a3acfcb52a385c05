//! The scheduler alone, in memory: what one decision costs, with many nodes and with many pods placed. No API
//! and no clock take part, so that the size of the cluster is bounded by memory only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use nakhoda_scheduler::cluster::Cluster;
use nakhoda_scheduler::cycle::{Decision, Sampling, decide};
use nakhoda_scheduler::framework::Framework;
use nakhoda_scheduler::pod::PodInfo;

use crate::figures::Figures;

mod shapes;

use shapes::Shape;

/// Decisions of the scheduler, without an API server
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Nodes, in ten zones
    #[arg(long, default_value_t = 5000)]
    nodes: usize,
    /// Pods of the same shape that are placed before
    #[arg(long, default_value_t = 5000)]
    placed: usize,
    /// Pods to place
    #[arg(long, default_value_t = 5000)]
    pods: usize,
    /// Only this shape of pods; all of them otherwise
    #[arg(long, value_enum)]
    workload: Option<Shape>,
}

/// Measures.
pub(crate) fn run(options: &Options) -> Result<Vec<Figures>> {
    let mut figures = Figures::default();
    for shape in options.workload.map_or_else(|| Shape::ALL.to_vec(), |shape| vec![shape]) {
        measure(options, shape, &mut figures)?;
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
