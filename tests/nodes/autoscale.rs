//! What nodes and pods use is told by `top`, and a Deployment that is busy gets more pods.

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;

use super::{IMAGE, NODES};

pub(super) fn busy_pods_become_more(app: &App) -> Result<()> {
    let text = include_str!("autoscale.yaml").replace("IMAGE", IMAGE);
    app.client.with_input(&["apply", "-n", &app.namespace, "-f", "-"], &text)?;
    app.run(&["autoscale", "deployment", "busy", "--min=1", "--max=2", "--cpu=50%"])?;
    eventually("a second pod of the busy deployment", || {
        let replicas = app.run(&["get", "deployment", "busy", "-o", "jsonpath={.spec.replicas}"])?;
        let told = app.run(&["get", "hpa", "busy", "-o", "jsonpath={.status.conditions}"])?;
        ensure!(replicas == "2", "{replicas} replicas: {told}");
        Ok(())
    })?;
    let pods = app.run(&["top", "pod", "-l", "app=busy", "--no-headers"])?;
    ensure!(pods.contains("busy-") && pods.contains("Mi"), "{pods:?}");
    let nodes = app.client.run(&["top", "node", "--no-headers"])?;
    ensure!(nodes.matches("Mi").count() == NODES && !nodes.contains("unknown"), "{nodes:?}");
    app.run(&["delete", "hpa/busy", "deployment/busy"]).map(drop)
}
