//! A node whose disk fills: the pod that fills it is evicted with a reason, the node says so while it lasts and takes no
//! new pods, and all is as before afterwards. The node joins for this, with a small disk of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nakhoda_tests::app;
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::machine::Machine;

const NODE: &str = "node-5";
const NAMESPACE: &str = "faults-disk";

/// Holds the node's images twice, packed and unpacked, and little else.
const SIZE: &str = "size=900m";

/// A file system in memory, away when this is dropped.
struct Disk(PathBuf);

// === impl Disk ===

impl Disk {
    fn mount(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "none"]).arg(&folder).status()?;
        ensure!(mounted.success(), "mount {}", folder.display());
        Ok(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if !Command::new("umount").arg("-l").arg(&self.0).status().is_ok_and(|s| s.success()) {
            eprintln!("{} may be left mounted", self.0.display());
        }
    }
}

/// All of it.
pub(crate) fn full() -> Result<()> {
    let mut machine = Machine::new(NODE)?;
    machine.settings.push(("EVICTION", "nodefs.available<200Mi".into()));
    let disk = Disk::mount(machine.folder())?;
    let ctl = Client::ctl();
    ctl.run(&["create", "namespace", NAMESPACE])?;
    let outcome = join(&mut machine).and_then(|()| fill(&ctl));
    ctl.run(&["delete", "namespace", NAMESPACE])?;
    drop(disk);
    drop(machine);
    ctl.run(&["node", "remove", NODE])?;
    outcome
}

fn join(machine: &mut Machine) -> Result<()> {
    let told = Client::ctl().run(&["token", "create"])?;
    let words = told.trim().strip_prefix("kubelet ").with_context(|| format!("no line to join by: {told}"))?;
    let words: Vec<&str> = words.split(' ').chain(["--eviction-pressure-transition-period", "5s"]).collect();
    machine.start(&words)?;
    condition("Ready", "True")?;
    condition("DiskPressure", "False")
}

fn condition(name: &str, wanted: &str) -> Result<()> {
    let path = format!(r#"jsonpath={{.status.conditions[?(@.type=="{name}")].status}}"#);
    Client::ctl().until(&["get", "node", NODE, "-o", &path], wanted).map(drop)
}

fn fill(ctl: &Client) -> Result<()> {
    // The node's kubelet is believed once its serving certificate was signed, a moment after it is Ready.
    eventually("the image on the node", app::load)?;
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: filler}}\nspec:\n  nodeName: {NODE}\n  terminationGracePeriodSeconds: \
         0\n  volumes: [{{name: data, emptyDir: {{}}}}]\n  containers:\n  - name: c\n    image: nakhoda-test/app:1\n    \
         command: [sh, -c, '/bin/busybox dd if=/dev/zero of=/data/all bs=1M; exec sleep 1000']\n    volumeMounts: [{{name: \
         data, mountPath: /data}}]\n"
    );
    ctl.with_input(&["create", "-n", NAMESPACE, "-f", "-"], &pod)?;
    condition("DiskPressure", "True")?;
    eventually("the eviction", || {
        let status = "jsonpath={.status.phase} {.status.reason}: {.status.message}";
        let told = ctl.run(&["get", "pod", "filler", "-n", NAMESPACE, "-o", status])?;
        ensure!(told.starts_with("Failed Evicted: The node was low on resource: ephemeral-storage."), "{told}");
        Ok(())
    })?;
    let events = ctl.run(&["get", "events", "-n", NAMESPACE])?;
    ensure!(events.contains("Evicted"), "{events}");
    condition("DiskPressure", "False")
}
