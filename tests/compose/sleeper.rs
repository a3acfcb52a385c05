//! The leading controller-manager and scheduler sleep longer than their leases last, and wake up: what they meant to
//! do is refused.

use std::time::Instant;

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::plane::{Plane, signal};

use crate::REPLICAS;

const ELECTED: [&str; 2] = ["kube-controller-manager", "kube-scheduler"];

/// Every version of everything that the controllers and the scheduler write for the app.
fn versions(app: &App) -> Result<String> {
    let path = r#"jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\n"}{end}"#;
    app.run(&["get", "deployments,replicasets,pods,endpointslices", "-o", path])
}

/// All of it: both sleep at the same time.
pub(crate) fn writes_nothing(plane: &Plane, app: &App) -> Result<()> {
    let sleepers = ELECTED.map(|what| plane.leader(what).map(|name| (what, name)));
    let sleepers = sleepers.into_iter().collect::<Result<Vec<_>>>()?;
    let pids = sleepers.iter().map(|(_, name)| plane.pid(name)).collect::<Result<Vec<_>>>()?;
    pids.iter().try_for_each(|pid| signal("STOP", pid))?;
    let done = while_they_sleep(plane, app, &sleepers);
    pids.iter().try_for_each(|pid| signal("CONT", pid))?;
    let before = done?;
    // They find that a pod was missing, or unbound, and have since been told by nobody that they lead no more. That
    // nothing comes of it cannot be waited for.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let after = versions(app)?;
    ensure!(before == after, "somebody wrote after he had slept.\nbefore:\n{before}\nafter:\n{after}");
    for (what, sleeper) in sleepers {
        ensure!(plane.leader(what)? != sleeper, "{sleeper} leads again");
    }
    Ok(())
}

/// A pod goes and comes again by the work of other leaders; what is there then.
fn while_they_sleep(plane: &Plane, app: &App, sleepers: &[(&str, String)]) -> Result<String> {
    let gone = app.pods()?.remove(0);
    app.run(&["delete", "pod", &gone.name, "--wait=false"])?;
    let begun = Instant::now();
    eventually("other leaders", || {
        for (what, sleeper) in sleepers {
            let leader = plane.leader(what)?;
            ensure!(leader != *sleeper, "{leader} still leads");
        }
        Ok(())
    })?;
    eprintln!("  others lead after {:.1} s", begun.elapsed().as_secs_f64());
    eventually("another pod", || {
        let pods = app.ready(REPLICAS)?;
        ensure!(pods.iter().all(|pod| pod.name != gone.name), "{pods:?}");
        Ok(())
    })?;
    // Until everybody has said what there is to say of it.
    let mut seen = versions(app)?;
    eventually("rest", || {
        std::thread::sleep(std::time::Duration::from_secs(1));
        let now = versions(app)?;
        let rests = now == seen;
        seen.clone_from(&now);
        ensure!(rests, "something is still written");
        Ok(now)
    })
}
