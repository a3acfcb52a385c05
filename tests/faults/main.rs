//! Each daemon is killed in turn during a rollout: the cluster converges by itself, no pod is doubled,
//! and a kubelet's death restarts no container. etcd goes away and comes back. What is wrong is told.

mod addons;
mod disk;
mod etcd;
mod identity;
mod input;
mod pods;

use std::process::Command;

use anyhow::{Context, Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::service::pid;
use nakhoda_tests::source::root;

const REPLICAS: usize = 4;

fn kill(pid: &str) -> Result<()> {
    ensure!(Command::new("kill").args(["-KILL", pid]).status()?.success(), "kill {pid}");
    Ok(())
}

fn kill_service(service: &str) -> Result<()> {
    let old = pid(service)?;
    kill(&old)?;
    eventually(&format!("{service} to be started again"), || {
        ensure!(pid(service)? != old, "still the old one");
        Ok(())
    })
}

/// The containerd that node-1's kubelet owns.
fn kill_containerd() -> Result<()> {
    let pattern = format!("containerd --config {}/.cluster/node-1", root().display());
    let found = Command::new("pgrep").args(["-f", &pattern]).output()?;
    let pids = String::from_utf8(found.stdout)?;
    let pid = pids.lines().next().context("node-1 has no containerd")?;
    kill(pid)
}

fn rollouts_survive(app: &App) -> Result<()> {
    let services = ["apiserver", "scheduler", "controller-manager", "kubelet-node-1", "etcd"];
    for (round, service) in services.iter().enumerate() {
        eprintln!("rollout while {service} is killed");
        app.apply(REPLICAS, &format!("round-{round}"))?;
        kill_service(service)?;
        // The client's own request may have been cut: a person would ask again.
        eventually("the rollout", || app.ready(REPLICAS).map(drop))?;
    }
    eprintln!("rollout while containerd is killed");
    app.apply(REPLICAS, "containerd")?;
    kill_containerd()?;
    eventually("the rollout", || app.ready(REPLICAS).map(drop))?;
    for program in ["proxy", "dns"] {
        eprintln!("rollout while {program} is killed");
        app.apply(REPLICAS, program)?;
        addons::kill(app, program)?;
        eventually("the rollout", || app.ready(REPLICAS).map(drop))?;
    }
    Ok(())
}

fn kubelet_restart_touches_nothing(app: &App) -> Result<()> {
    let before = app.pods()?;
    kill_service("kubelet-node-1")?;
    eventually("node-1", || {
        let text = app.client.run(&["get", "node", "node-1"])?;
        ensure!(text.contains(" Ready"), "{text}");
        Ok(())
    })?;
    // Long enough for several rounds of probes: that nothing happens cannot be waited for.
    std::thread::sleep(std::time::Duration::from_secs(5));
    let after = app.pods()?;
    ensure!(before == after, "before: {before:?}\nafter: {after:?}");
    Ok(())
}

fn run() -> Result<()> {
    let app = App::start("faults", REPLICAS)?;
    rollouts_survive(&app)?;
    kubelet_restart_touches_nothing(&app)?;
    eprintln!("etcd is away");
    etcd::away(&app)?;
    app.end()
}

#[test]
fn a_daemons_death_during_a_rollout_is_made_up_for() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn wrong_command_lines_are_told_and_end() {
    input::command_lines().unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn strangers_and_the_expired_are_turned_away() {
    identity::strangers().unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn what_cannot_run_is_told_and_runs_when_it_can() {
    pods::told().unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn a_full_disk_evicts_who_fills_it() {
    disk::full().unwrap_or_else(|e| panic!("{e:?}"));
}
