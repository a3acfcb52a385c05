//! etcd away for a while: pods go on, writes are refused with a reason and a time to come back, and when it is there
//! again everything is, by itself.

use std::process::Command;

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::service;
use nakhoda_tests::source::root;

const MAPS: &str = "https://172.30.93.1:6443/api/v1/namespaces/default/configmaps";

/// The answer to a write, head and body.
fn write(name: &str) -> Result<String> {
    let script = r#"
        part() { sed -n "s/^ *$1: //p" .cluster/kubeconfig | base64 -d; }
        curl --silent --include --max-time 70 --cacert .cluster/pki/ca.crt --cert <(part client-certificate-data) \
            --key <(part client-key-data) --header content-type:application/json --data "$2" "$1""#;
    let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
    let output = Command::new("bash").current_dir(root()).args(["-c", script, "_", MAPS, &body]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).to_lowercase())
}

/// All of it.
pub(crate) fn away(app: &App) -> Result<()> {
    let daemons = ["apiserver", "scheduler", "controller-manager", "kubelet-node-1"];
    let before = (app.pods()?, daemons.map(service::pid).into_iter().collect::<Result<Vec<_>>>()?);
    service::pause("etcd")?;
    let refused = write("while-etcd-is-away");
    service::resume("etcd")?;
    let refused = refused?;
    ensure!(refused.contains(" 503") && refused.contains("retry-after:"), "{refused}");
    ensure!(refused.contains("serviceunavailable"), "{refused}");
    eventually("writes", || {
        let answer = write("after-etcd-was-away")?;
        ensure!(answer.contains(" 201") || answer.contains("alreadyexists"), "{answer}");
        Ok(())
    })?;
    let after = (app.pods()?, daemons.map(service::pid).into_iter().collect::<Result<Vec<_>>>()?);
    ensure!(before == after, "before: {before:?}\nafter: {after:?}");
    app.client.run(&["delete", "configmap", "after-etcd-was-away"])?;
    // what depends on watches works again, too
    let (replicas, version) = (before.0.len(), "after-etcd");
    app.apply(replicas, version)?;
    app.ready(replicas).map(drop)
}
