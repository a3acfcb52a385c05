//! The leading controller-manager and scheduler sleep longer than their leases last, and wake up: what they meant to
//! do is refused.

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::plane::{Plane, signal};

use crate::REPLICAS;

/// Every version of everything that the controllers and the scheduler write for the app.
fn versions(app: &App) -> Result<String> {
    let path = r#"jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\n"}{end}"#;
    app.run(&["get", "deployments,replicasets,pods,endpointslices", "-o", path])
}

/// All of it.
pub(crate) fn writes_nothing(plane: &Plane, app: &App) -> Result<()> {
    for what in ["kube-controller-manager", "kube-scheduler"] {
        let sleeper = plane.leader(what)?;
        let pid = plane.pid(&sleeper)?;
        signal("STOP", &pid)?;
        let done = while_it_sleeps(plane, app, what, &sleeper);
        signal("CONT", &pid)?;
        let before = done?;
        // It finds that a pod was missing, or unbound, and has since been told by nobody that it leads no more. That
        // nothing comes of it cannot be waited for.
        std::thread::sleep(std::time::Duration::from_secs(4));
        let after = versions(app)?;
        ensure!(before == after, "{sleeper} wrote after it had slept.\nbefore:\n{before}\nafter:\n{after}");
        ensure!(plane.leader(what)? != sleeper, "{sleeper} leads again");
    }
    Ok(())
}

/// A pod goes and comes again by the work of another leader; what is there then.
fn while_it_sleeps(plane: &Plane, app: &App, what: &str, sleeper: &str) -> Result<String> {
    let gone = app.pods()?.remove(0);
    app.run(&["delete", "pod", &gone.name, "--wait=false"])?;
    eventually("another leader", || {
        let leader = plane.leader(what)?;
        ensure!(leader != sleeper, "{leader} still leads");
        Ok(())
    })?;
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
