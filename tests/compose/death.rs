//! One part of each kind dies while a client writes and pods serve.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::load::{Asker, Writer};
use nakhoda_tests::plane::Plane;

use crate::REPLICAS;

/// A bound that only something broken exceeds: an election of etcd takes two seconds.
const GAP: Duration = Duration::from_secs(30);

/// Of which one leads.
const ELECTED: [&str; 3] = ["etcd", "kube-scheduler", "kube-controller-manager"];

/// What somebody does meanwhile. It needs a controller, a scheduler, and all behind them.
enum Step {
    /// A pod goes, and another comes.
    Pod,
    /// Every pod is replaced.
    Rollout(&'static str),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pod => f.write_str("another pod runs"),
            Self::Rollout(version) => write!(f, "all pods are of version {version}"),
        }
    }
}

fn take(step: &Step, app: &App) -> Result<()> {
    match step {
        Step::Pod => {
            let gone = eventually("the pods", || app.pods())?.remove(0);
            eventually("the deletion", || {
                app.run(&["delete", "pod", &gone.name, "--wait=false", "--ignore-not-found"])
            })?;
            eventually("another pod", || {
                let pods = app.ready(REPLICAS)?;
                ensure!(pods.iter().all(|pod| pod.name != gone.name), "{pods:?}");
                Ok(())
            })
        }
        Step::Rollout(version) => {
            eventually("an answer", || app.apply(REPLICAS, version))?;
            eventually("the rollout", || app.ready(REPLICAS).map(drop))
        }
    }
}

/// All of it.
pub(crate) fn of_each(plane: &Plane, app: &App, url: &str) -> Result<()> {
    let writer = Writer::start(&app.client, &app.namespace);
    let asker = Asker::start("node-1", url);
    for (what, step) in [
        ("apiserver-1", Step::Pod),
        ("etcd", Step::Rollout("two")),
        ("kube-scheduler", Step::Pod),
        ("kube-controller-manager", Step::Pod),
        ("lb", Step::Rollout("one")),
    ] {
        let victim = if ELECTED.contains(&what) { plane.leader(what)? } else { what.to_owned() };
        eprintln!("{victim} is killed");
        plane.kill(&victim)?;
        let start = Instant::now();
        take(&step, app)?;
        eprintln!("  {step} after {:.1} s", start.elapsed().as_secs_f64());
    }
    let written = writer.end()?;
    let (asked, failures) = asker.end()?;
    eprintln!(
        "{} writes, at most {:.1} s apart, {} tries failed; {asked} requests to the Service, {} failed",
        written.names.len(),
        written.gap.as_secs_f64(),
        written.failures.len(),
        failures.len(),
    );
    ensure!(written.gap < GAP, "no write for {:?}: {:?}", written.gap, written.failures);
    ensure!(failures.is_empty(), "the Service did not answer: {failures:?}");
    written.is_there(&app.client, &app.namespace)
}
