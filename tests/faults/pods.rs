//! What is asked for and cannot be, or not yet: an image that is not there, a program that crashes, a request that no
//! node can meet. It is told in the pod's status and in its events, and made up for as soon as it can be.

use std::process::Command;

use anyhow::{Result, ensure};
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::source::root;

const NAMESPACE: &str = "faults-pods";
const LATE: &str = "nakhoda-test/late:1";

/// All of it.
pub(crate) fn told() -> Result<()> {
    let ctl = Client::ctl();
    ctl.run(&["create", "namespace", NAMESPACE])?;
    let outcome = absent_image(&ctl).and_then(|()| crash(&ctl)).and_then(|()| impossible(&ctl));
    ctl.run(&["delete", "namespace", NAMESPACE])?;
    ctl.run(&["image", "rm", LATE])?;
    outcome
}

fn run(ctl: &Client, words: &[&str]) -> Result<String> {
    ctl.run(&[words, &["-n", NAMESPACE]].concat())
}

fn pod(ctl: &Client, name: &str, container: &str) -> Result<()> {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  terminationGracePeriodSeconds: 0\n  containers:\n  \
         - {{name: c, {container}}}\n"
    );
    ctl.with_input(&["create", "-n", NAMESPACE, "-f", "-"], &text).map(drop)
}

/// Waits until a field of a pod holds a text.
fn field(ctl: &Client, name: &str, path: &str, wanted: &str) -> Result<()> {
    eventually(&format!("{path} of {name} to be {wanted}"), || {
        let told = run(ctl, &["get", "pod", name, "-o", &format!("jsonpath={path}")])?;
        ensure!(told.contains(wanted), "{told}");
        Ok(())
    })
}

/// An event of a pod, by its reason.
fn event(ctl: &Client, name: &str, reason: &str, wanted: &str) -> Result<()> {
    let selector = format!("involvedObject.name={name},reason={reason}");
    eventually(&format!("event {reason} of {name}"), || {
        let told = run(ctl, &["get", "events", "--field-selector", &selector])?;
        ensure!(told.contains(wanted), "{told}");
        Ok(())
    })
}

/// It is asked for again and again, and runs once it was loaded, without anybody touching the pod.
fn absent_image(ctl: &Client) -> Result<()> {
    pod(ctl, "late", &format!("image: {LATE}"))?;
    let reason = "{.status.containerStatuses[0].state.waiting.reason}";
    field(ctl, "late", reason, "ImagePullBackOff")?;
    event(ctl, "late", "Failed", "Error: ErrImagePull")?;
    event(ctl, "late", "BackOff", &format!("Back-off pulling image \"{LATE}\""))?;
    let why = run(ctl, &["why", "late"])?;
    ensure!(why.contains("ImagePullBackOff") && why.contains(LATE), "{why}");
    let archive = root().join(".cluster/test-images/late.tar").display().to_string();
    ensure!(Command::new(root().join("tests/app-image")).args([&archive, LATE]).status()?.success(), "app-image");
    ctl.run(&["image", "load", &archive])?;
    field(ctl, "late", "{.status.phase}", "Running")
}

/// It is started again in place, later and later; what it said and how it ended can be read.
fn crash(ctl: &Client) -> Result<()> {
    let command = "command: [sh, -c, 'echo oh dear; exit 3']";
    pod(ctl, "crash", &format!("image: nakhoda-test/app:1, {command}"))?;
    field(ctl, "crash", "{.status.containerStatuses[0].state.waiting.reason}", "CrashLoopBackOff")?;
    field(ctl, "crash", "{.status.containerStatuses[0].lastState.terminated.exitCode}", "3")?;
    event(ctl, "crash", "BackOff", "Back-off restarting failed container c in pod crash")?;
    let said = run(ctl, &["logs", "-p", "crash"])?;
    ensure!(said == "oh dear\n", "{said}");
    Ok(())
}

/// It waits, and says on how many nodes it does not fit for what.
fn impossible(ctl: &Client) -> Result<()> {
    pod(ctl, "giant", "image: nakhoda-test/app:1, resources: {requests: {cpu: '1000'}}")?;
    field(ctl, "giant", "{.status.conditions[?(@.type==\"PodScheduled\")].reason}", "Unschedulable")?;
    event(ctl, "giant", "FailedScheduling", "Insufficient cpu")?;
    let why = run(ctl, &["why", "giant"])?;
    ensure!(why.contains("Insufficient cpu"), "{why}");
    Ok(())
}
