//! The drill of backup and restore: what was saved is there again, what came later is gone, clients that held a
//! revision of the time between are told to list anew, and pods and daemons go on.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::source::root;

const REPLICAS: usize = 3;

fn revision(ctl: &Client) -> Result<u64> {
    let told = ctl.run(&["get", "configmap", "lost", "-o", "jsonpath={.metadata.resourceVersion}"])?;
    told.trim().parse().with_context(|| format!("a revision: {told}"))
}

fn restore(file: &str) -> Result<()> {
    let output = Command::new("scripts/etcd-restore").current_dir(root()).arg(file).output()?;
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    eprint!("{told}");
    ensure!(output.status.success(), "scripts/etcd-restore {file}");
    Ok(())
}

/// What was not saved is gone, and revisions go on where they were.
fn as_it_was(ctl: &Client, before: u64) -> Result<()> {
    ensure!(ctl.run(&["get", "configmap", "lost"]).is_err(), "what came after the snapshot is there");
    ctl.run(&["create", "configmap", "lost"])?;
    let after = revision(ctl)?;
    ensure!(after > before + 1, "revision {after} was given out before: {before}");
    Ok(())
}

fn run() -> Result<()> {
    let ctl = Client::ctl();
    let app = App::start("restore", REPLICAS)?;
    ctl.run(&["create", "configmap", "kept"])?;
    let file = root().join(".cluster/test.snapshot").display().to_string();
    ctl.run(&["etcd", "snapshot", "save", &file])?;
    let status = ctl.run(&["cluster", "status"])?;
    ensure!(status.contains("leads") && status.contains("node-1"), "{status}");
    let pods = app.pods()?;
    ctl.run(&["create", "configmap", "lost"])?;
    app.apply(REPLICAS, "after-the-snapshot")?;
    app.ready(REPLICAS)?;
    let before = revision(&ctl)?;
    restore(&file)?;
    ctl.until(&["get", "configmap", "kept", "-o", "name"], "kept")?;
    as_it_was(&ctl, before)?;
    // The cluster believes again in the pods of the snapshot, which the kubelets have to make anew, and deletes
    // nothing else; then it follows what is wanted now.
    app.ready(REPLICAS)?;
    eventually("the pods of the snapshot", || {
        let names = |pods: Vec<nakhoda_tests::app::Pod>| pods.into_iter().map(|p| p.name).collect::<Vec<_>>();
        let now = names(app.pods()?);
        ensure!(now == names(pods.clone()), "{now:?}");
        Ok(())
    })?;
    app.apply(REPLICAS, "after-the-restore")?;
    app.ready(REPLICAS)?;
    for map in ["kept", "lost"] {
        ctl.run(&["delete", "configmap", map])?;
    }
    std::fs::remove_file(file)?;
    app.end()
}

#[test]
fn what_was_saved_comes_back_and_nobody_is_told_the_past_twice() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}
