//! The control plane of docker-compose.yml: machines join it by the printed line and run pods; API servers without a
//! route to pods reach them all the same; any one part may die, and a leader that slept writes nothing any more;
//! `down` and `up` keep everything, a snapshot brings back what it holds, `down -v` leaves nothing.
//!
//! The suite runs in a network of its own (scripts/test compose), so a cluster of `scripts/up` may run beside it.
//! Skipped, and said so, where dockerd or docker-compose is not installed.

mod death;
mod reach;
mod restore;
mod sleeper;

use std::process::Command;

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::load;
use nakhoda_tests::machine;
use nakhoda_tests::plane::{self, Plane};
use nakhoda_tests::source;

const REPLICAS: usize = 4;

/// The Service's address answers on both machines, each with the name of a pod.
fn answers(app: &App) -> Result<String> {
    let url = format!("http://{}/", app.run(&["get", "service", "app", "-o", "jsonpath={.spec.clusterIP}"])?);
    for node in ["node-1", "node-2"] {
        eventually(&format!("the Service on {node}"), || {
            let page = load::ask(node, &url)?;
            ensure!(page.starts_with("app-"), "{page}");
            Ok(())
        })?;
    }
    Ok(url)
}

/// Everything is well, by name.
fn status() -> Result<()> {
    eventually("a status without a fault", || {
        let status = Client::ctl().run(&["cluster", "status"])?;
        for part in ["etcd-1", "etcd-2", "etcd-3", "leads", "node-1", "node-2", "kube-scheduler"] {
            ensure!(status.contains(part), "{part} is missing:\n{status}");
        }
        Ok(())
    })
}

/// Down and up again: the same objects, the same pods, and it goes on.
fn comes_back(plane: &Plane, app: &App) -> Result<()> {
    let before = app.pods()?;
    plane.compose(&["down"])?;
    plane.up(&[])?;
    eventually("an answer", || app.run(&["get", "deployment", "app"]).map(drop))?;
    eventually("both nodes", plane::nodes_are_ready)?;
    let after = app.pods()?;
    ensure!(before == after, "before: {before:?}\nafter: {after:?}");
    app.apply(REPLICAS, "after-down")?;
    app.ready(REPLICAS).map(drop)
}

/// Without what `scripts/images compose` makes, one line says so.
fn names_what_is_missing() -> Result<()> {
    let empty = source::state().join("empty.env");
    std::fs::write(&empty, "")?;
    let output = Command::new("docker-compose")
        .arg("--env-file")
        .arg(&empty)
        .args(["up", "-d"])
        .current_dir(source::root())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success() && told.trim_end().lines().count() == 1, "{told}");
    ensure!(told.contains("run scripts/images compose first"), "{told}");
    Ok(())
}

fn walk(plane: &Plane) -> Result<()> {
    plane.kubeconfig()?;
    let machines = plane.join()?;
    status()?;
    let app = App::start("compose", REPLICAS)?;
    let url = answers(&app)?;
    eprintln!("reaching pods without a route to them");
    reach::all(&app)?;
    death::of_each(plane, &app, &url)?;
    eprintln!("a leader that slept");
    sleeper::writes_nothing(plane, &app)?;
    eprintln!("down and up");
    comes_back(plane, &app)?;
    eprintln!("back to a snapshot");
    restore::drill(plane, &app)?;
    app.end()?;
    drop(machines);
    Ok(())
}

fn run() -> Result<()> {
    if Command::new("docker-compose").arg("version").output().is_err() {
        eprintln!("skipped: docker-compose is not installed (apt-get install docker-compose)");
        return Ok(());
    }
    machine::network()?;
    names_what_is_missing()?;
    let Some(plane) = Plane::start()? else {
        eprintln!("skipped: dockerd is not installed (apt-get install docker.io)");
        return Ok(());
    };
    walk(&plane).inspect_err(|_| eprintln!("{}", plane.logs()))?;
    plane.compose(&["down", "-v"])?;
    let left = plane.left()?;
    ensure!(left.is_empty(), "down -v leaves {left}");
    Ok(())
}

#[test]
fn a_control_plane_by_compose_survives_the_loss_of_any_part() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}
