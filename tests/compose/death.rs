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

/// All of it.
pub(crate) fn of_each(plane: &Plane, app: &App, url: &str) -> Result<()> {
    let writer = Writer::start(&app.client, &app.namespace);
    let asker = Asker::start("node-1", url);
    for what in ["apiserver-1", "etcd", "kube-scheduler", "kube-controller-manager"] {
        let victim = if what == "apiserver-1" { what.to_owned() } else { plane.leader(what)? };
        eprintln!("{victim} is killed");
        plane.kill(&victim)?;
        // One pod goes: that it comes again needs a controller, a scheduler, and all behind them.
        let start = Instant::now();
        let gone = app.pods()?.remove(0);
        app.run(&["delete", "pod", &gone.name, "--wait=false"])?;
        eventually("another pod", || {
            let pods = app.ready(REPLICAS)?;
            ensure!(pods.iter().all(|pod| pod.name != gone.name), "{pods:?}");
            Ok(())
        })?;
        eprintln!("  another pod runs after {:.1} s", start.elapsed().as_secs_f64());
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
