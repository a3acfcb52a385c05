//! The pods that every node runs, killed: the kubelet starts them again in place, and what they serve is back.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;

/// The process of a program in a pod of node-1.
fn process(program: &str) -> Result<String> {
    let folders = std::fs::read_dir("/proc")?.filter_map(Result::ok).map(|entry| entry.path());
    let read = |path: &Path, file: &str| std::fs::read_to_string(path.join(file)).unwrap_or_default();
    let is_it = |path: &std::path::PathBuf| {
        let cgroups = read(path, "cgroup");
        read(path, "comm").trim() == program && cgroups.contains("/nakhoda-") && cgroups.contains("/node-1/")
    };
    let found = folders.into_iter().find(is_it).with_context(|| format!("node-1 runs no {program}"))?;
    Ok(found.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

/// Kills one, and waits until another has taken its place and its work.
pub(crate) fn kill(app: &App, program: &str) -> Result<()> {
    let old = process(program)?;
    super::kill(&old)?;
    eventually(&format!("{program} to be started again"), || {
        ensure!(process(program)? != old, "still the old one");
        Ok(())
    })?;
    // The pod asks through the Service's address, by its name: both are needed.
    eventually("the app by its name", || {
        let pods = app.pods()?;
        let pod = pods.iter().find(|pod| pod.node == "node-1").or_else(|| pods.first()).context("no pods")?;
        app.run(&["exec", &pod.name, "--", "wget", "-qO-", "http://app/"]).map(drop)
    })
}
