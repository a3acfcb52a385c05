//! Claims on the default storage class: what a StatefulSet's pod wrote is there for the next one, and a pod
//! whose claim is not bound waits and says why.

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;

use super::IMAGE;

pub(super) fn outlives_its_pod(app: &App) -> Result<()> {
    let text = include_str!("data.yaml").replace("IMAGE", IMAGE);
    app.client.with_input(&["apply", "-n", &app.namespace, "-f", "-"], &text)?;
    app.run(&["rollout", "status", "statefulset/data", "--timeout=60s"])?;
    eventually("the pod that waits to say why", || {
        let events = app.run(&["get", "events"])?;
        ensure!(events.contains("FailedMount") && events.contains("PVC is not bound"), "{events}");
        Ok(())
    })?;
    let first = app.run(&["get", "pod", "data-0", "-o", "jsonpath={.metadata.uid}"])?;
    app.run(&["delete", "pod", "data-0"])?;
    eventually("the next pod to have what the first one wrote", || {
        let now = app.run(&["get", "pod", "data-0", "-o", "jsonpath={.metadata.uid}"])?;
        ensure!(now != first, "the first pod is still there");
        let text = app.run(&["exec", "data-0", "--", "cat", "/whole/one/two/log"])?;
        ensure!(text == "data-0\ndata-0\n", "{text:?}");
        Ok(())
    })?;
    // Nothing of it stands in the way of what follows.
    app.run(&["delete", "statefulset/data", "pod/early"]).map(drop)
}
